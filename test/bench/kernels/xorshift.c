/* A 64-bit xorshift generator with multiply and rotate: registers only. */
#include "kernel.h"

const char kernel_name[] = "xorshift";

uint32_t kernel_run(uint32_t iterations)
{
	uint64_t state = 0x123456789abcdef1UL;
	uint64_t sum = 0;

	while (iterations-- > 0) {
		state ^= state >> 12;
		state ^= state << 25;
		state ^= state >> 27;
		sum += state * 0x2545f4914f6cdd1dUL;
		sum = (sum << 7) | (sum >> 57);
	}
	return (uint32_t)(sum ^ (sum >> 32));
}
