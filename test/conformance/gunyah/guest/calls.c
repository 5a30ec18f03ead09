/* Register effects of calls on every path, and errors of every call with capabilities that do not exist. */
#include "probe.h"

static struct frame before, after;

static void effect(const char *name, u32 word)
{
	after = before;
	say("effect %s = ", name);
	call_with(&after, word);
	say_effect(&before, &after);
	say("\n");
}

/* One call with arguments from `first`: x0.. natively, x1.. by SMCCC. */
static void effect_of(const char *name, u32 number, u64 argument, u32 word)
{
	pattern(&before, 0xa0000000);
	if (word == HVC(0) || word == SMC(0)) {
		before.x[0] = 0xc6008000u + number;
		for (u32 n = 1; n < 8; n++)
			before.x[n] = argument;
	} else {
		for (u32 n = 0; n < 8; n++)
			before.x[n] = argument;
	}
	say("effect %s %x with %x = ", name, (u64)number, argument);
	after = before;
	call_with(&after, word);
	say_effect(&before, &after);
	say("\n");
}

static bool may_call(u32 number, u64 argument)
{
	/* vcpu_poweroff of capability 2 and the like are asked elsewhere. */
	(void)argument;
	return number != 0x38 && number != 0x65;
}

void ask_calls(void)
{
	static const u64 arguments[] = { 0, ALL_ONES };

	for (u32 number = 0; number < 0x70; number++) {
		if (!may_call(number, 0))
			continue;
		effect_of("native", number, ALL_ONES, HVC(0x6000 + number));
	}
	for (u32 number = 0; number < 0x70; number++) {
		if (!may_call(number, 0))
			continue;
		effect_of("hvc", number, ALL_ONES, HVC(0));
		effect_of("smc", number, ALL_ONES, SMC(0));
	}
	(void)arguments;
	static const u16 immediates[] = { 1, 2, 0x10, 0xff, 0x100, 0x5fff, 0x6069, 0x606a, 0x6080, 0x60ff, 0x6100, 0x7000, 0x8000, 0xc600, 0xffff };
	for (u32 i = 0; i < sizeof(immediates) / sizeof(immediates[0]); i++) {
		pattern(&before, 0x50000000);
		say("immediate %x ", (u64)immediates[i]);
		effect("hvc", HVC(immediates[i]));
		say("immediate %x ", (u64)immediates[i]);
		effect("smc", SMC(immediates[i]));
	}
	for (u32 number = 0; number < 0x69; number += 8) {
		pattern(&before, 0x50000000);
		say("immediate %x ", (u64)(0x6000 + number));
		effect("smc", SMC(0x6000 + number));
	}
}
