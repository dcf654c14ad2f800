/*
 * rarity.h - how seldom a text is met in logs.
 *
 * A guess from a table of bytes and of words that logs are full of; it decides
 * which of several texts is searched for, never whether something matches.
 */
#ifndef PARSERS_RARITY_H
#define PARSERS_RARITY_H

#include "common/slice.h"

/*
 * About -log2 of the chance that the text begins at some byte of a log: below
 * 8 it is met in most lines.
 */
unsigned rarity_bits(struct slice text);

#endif
