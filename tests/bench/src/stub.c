/*
 * The service of the measurements, the smallest program that can be: static, no C library, no writable data. It writes
 * to descriptor 1 when and where it ran its first instruction, and stays until a signal ends it.
 */
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <linux/time_types.h>

#ifndef __x86_64__
#error "the calls below are those of x86_64"
#endif

/* What reports.rs reads: four numbers of 64 bits. */
struct report {
    struct __kernel_timespec first_instruction;
    __u64 directory_inode;
    __u64 pid;
};

#define MONOTONIC 1

static long call(long number, long one, long two, long three, long four, long five)
{
    long result;
    register long fourth __asm__("r10") = four;
    register long fifth __asm__("r8") = five;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(one), "S"(two), "d"(three), "r"(fourth), "r"(fifth)
                     : "rcx", "r11", "memory");
    return result;
}

static void report(struct report *report)
{
    struct statx directory;

    call(__NR_statx, AT_FDCWD, (long)".", 0, STATX_INO, (long)&directory);
    report->directory_inode = directory.stx_ino;
    report->pid = call(__NR_getpid, 0, 0, 0, 0, 0);
    call(__NR_write, 1, (long)report, sizeof(*report), 0, 0);
}

__attribute__((noreturn, used)) static void begin(void)
{
    struct report first;

    call(__NR_clock_gettime, MONOTONIC, (long)&first.first_instruction, 0, 0, 0);
    report(&first);
    for (;;)
        call(__NR_pause, 0, 0, 0, 0, 0);
}

/* The stack as a function wants it. */
__asm__(".globl _start\n"
        "_start: and $-16, %rsp\n"
        "call begin\n");
