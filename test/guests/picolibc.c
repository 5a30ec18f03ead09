/* A hosted C program with Debian's picolibc: standard I/O, files, the heap, floating point, and every semihosting operation by hand. */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t table[512] __attribute__((aligned(4096)));

/* The library makes unaligned accesses, which need Normal memory, and that needs the MMU. */
static void mmu_on(void)
{
    table[0] = 0x401;
    table[1] = 0x40000000 | 0x705;
    __asm__ volatile("msr mair_el1, %0\n msr tcr_el1, %1\n msr ttbr0_el1, %2\n isb\n mrs x9, sctlr_el1\n mov x10, #5\n orr x9, x9, x10\n msr sctlr_el1, x9\n isb"
                     :: "r"(0xff00ul), "r"(0x80803519ul | (1ul << 32)), "r"(table) : "x9", "x10", "memory");
}

static long call(long operation, const void *parameter)
{
    register long w0 __asm__("x0") = operation;
    register const void *x1 __asm__("x1") = parameter;
    __asm__ volatile("hlt #0xf000" : "+r"(w0) : "r"(x1) : "memory");
    return w0;
}

#define CALL(operation, ...) call(operation, (const uint64_t[]){ __VA_ARGS__ })
#define TEXT(text) (uintptr_t)(text), strlen(text)

static void standard_io(int argc, char **argv)
{
    char line[80];
    printf("argc %d, %s\n", argc, argv[argc - 1]);
    printf("pi %.6f, root %.10f, %s\n", M_PI, sqrt(2.0), strerror(ENOENT));
    char *heap = malloc(100000);
    strcpy(heap, "heap");
    puts(heap);
    free(heap);
    FILE *file = fopen("nothing.txt", "r");
    printf("missing %d\n", file == NULL);
    file = fopen("out.txt", "w");
    fprintf(file, "line one\nline %d\n", 2);
    fclose(file);
    file = fopen("out.txt", "r");
    while (fgets(line, sizeof line, file)) printf("> %s", line);
    fseek(file, 5, SEEK_SET);
    printf("seek %c\n", fgetc(file));
    fclose(file);
    printf("typed %c\n", getchar());
    fgets(line, sizeof line, stdin);
    printf("line%s", line);
}

static void by_hand(void)
{
    char buffer[64] = { 0 };
    uint64_t heap[4], ticks;
    long out = CALL(0x01, (uintptr_t)":tt", 4, 3), in = CALL(0x01, (uintptr_t)":tt", 0, 3), features, file;
    features = CALL(0x01, (uintptr_t)":semihosting-features", 0, 21);
    printf("terminal %ld %ld %ld\n", CALL(0x09, out), CALL(0x09, in), CALL(0x09, features));
    printf("features %ld ", CALL(0x06, features, (uintptr_t)buffer, 8));
    printf("%.4s %d, length %ld, to write %ld\n", buffer, buffer[4], CALL(0x0c, features), CALL(0x05, features, (uintptr_t)buffer, 4));
    file = CALL(0x01, (uintptr_t)"a", 6, 1);
    printf("write %ld, seek %ld, beyond %ld, ", CALL(0x05, file, (uintptr_t)"abcdef", 6), CALL(0x0a, file, 2), CALL(0x0a, file, 7));
    printf("read %ld, close %ld, again %ld, errno %ld\n", CALL(0x06, file, (uintptr_t)buffer, 10), CALL(0x02, file), CALL(0x02, file), call(0x13, 0));
    printf("rename %ld, remove %ld, gone %ld, errno %ld\n", CALL(0x0f, TEXT("a"), TEXT("b")), CALL(0x0e, TEXT("b")), CALL(0x01, (uintptr_t)"b", 0, 1), call(0x13, 0));
    printf("name %ld %s, too small %ld\n", CALL(0x0d, (uintptr_t)buffer, 5, 64), buffer, CALL(0x0d, (uintptr_t)buffer, 5, 2));
    printf("mode %ld, system %ld, unknown %ld\n", CALL(0x01, TEXT("x"), 12), CALL(0x12, TEXT("ls")), call(0x99, 0));
    printf("error %ld %ld, frequency %ld\n", CALL(0x08, (uint64_t)-1), CALL(0x08, 5), call(0x31, 0));
    printf("elapsed %ld, clock %d, year %ld\n", call(0x30, &ticks), (uint64_t)call(0x10, 0) == ticks / 10000000, 1970 + (call(0x11, 0) + 86400) / 31556952);
    printf("heap %ld %d\n", CALL(0x16, (uintptr_t)heap), heap[0] > 0x40200000 && heap[1] > heap[0] && heap[1] == heap[2] && heap[0] == heap[3]);
    printf("command line %ld\n", CALL(0x15, (uintptr_t)buffer, 3));
    CALL(0x05, out, TEXT("by handle\n"));
    call(0x04, "by text\n");
    call(0x03, "!");
}

int main(int argc, char **argv)
{
    mmu_on();
    standard_io(argc, argv);
    by_hand();
    return 7;
}
