/*
 * footprint.h - gives back the memory that only a start or a reload needed.
 *
 * Compiling rules, reading YAML, and relocating the libraries touch some megabytes
 * of code and constants that running hardly needs, and leave holes in the heap.
 */
#ifndef DAEMON_FOOTPRINT_H
#define DAEMON_FOOTPRINT_H

/*
 * Unmaps the free pages of the heap, and the code and constants of the program
 * and its libraries: what is used again comes back from the page cache, 64 KiB
 * in about a microsecond.  A page that was written to all the same (text relocations, a
 * debugger's breakpoint) is none of the file's and stays; where the kernel does not
 * tell which those are, without /proc, all stay.  Any thread; to the others nothing
 * changes.
 */
void footprint_shrink(void);

#endif
