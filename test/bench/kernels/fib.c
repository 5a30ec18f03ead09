/* Recursive Fibonacci numbers: calls, returns and stack traffic. */
#include "kernel.h"

#define DEPTH 25

const char kernel_name[] = "fib";

static uint32_t __attribute__((noinline)) fib(uint32_t n)
{
	/* The barrier keeps the compiler from unrolling the recursion into a loop. */
	__asm__ volatile("" : "+r"(n));
	if (n < 2)
		return n;
	return fib(n - 1) + fib(n - 2);
}

uint32_t kernel_run(uint32_t iterations)
{
	uint32_t checksum = 0;

	while (iterations-- > 0)
		checksum = kernel_mix(checksum, fib(DEPTH));
	return checksum;
}
