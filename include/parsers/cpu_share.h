/*
 * cpu_share.h - how much CPU time each rule takes, by samples.
 *
 * The clock is asked twice a block, and around each rule of one record in many.  What
 * the blocks took up to such a record is shared out by what its rules took.
 * Knows neither rules nor records, only numbers.  One thread.
 */
#ifndef PARSERS_CPU_SHARE_H
#define PARSERS_CPU_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpu_share;

struct cpu_share *cpu_share_create(size_t rules);
void cpu_share_destroy(struct cpu_share *share); /* NULL is accepted */

/* Once a record: are its rules to be timed? */
bool cpu_share_is_due(struct cpu_share *share);

/* Of a record that is timed: rule number `rule` was run since `start_ns`. */
void cpu_share_sample(struct cpu_share *share, size_t rule, int64_t start_ns);

/* A block took so long. */
void cpu_share_add(struct cpu_share *share, int64_t cpu_ns);

/* After a record that was timed: tells what each of its rules has taken. */
void cpu_share_out(struct cpu_share *share,
		   void (*tell)(void *ctx, size_t rule, double cpu_ns), void *ctx);

#endif
