/* The order of the groups. */
#include "probe.h"

/* For work on the last groups. */
static const bool quick = false;

__attribute__((weak)) void probe_main(void)
{
	is_second = MRS(midr_el1) == 0xf0480;
	if (is_second) {
		second_main(at_entry.x[0]);
		return;
	}
	if (quick)
		goto news;
	ask_entry();
	ask_tree(at_entry.x[0]);
	ask_calls();
	ask_services();
	ask_psci_harmless();
	ask_identification();
	ask_registers();
	ask_instructions();
	ask_every_register();
	ask_capabilities();
	ask_queue();
	ask_aborts();
	ask_board();
	ask_processor();
	ask_gic();
	ask_timer();
	ask_cpus();
	ask_interrupts();
	ask_list_registers();
	ask_rm();
	ask_vm();
	ask_parcels();
	ask_parcels_between();
	ask_inside();
	ask_lives();
	ask_runs();
	ask_more_lives();
	ask_consoles();
	ask_lends();
news:
	ask_messages();
	ask_stops();
	ask_heirs();
	ask_latches();
	ask_exclusives();
	smccc(0x84000008, 0, 0, 0);
}

__attribute__((weak)) void other_main(u64 context)
{
	if (is_second)
		second_cpu_main();
	work_on(context);
}

/* Addresses are those of one image. */
static void say_address(const char *who, const char *what, u64 address)
{
	say("entry %s %s = %s\n", who, what, address ? "set" : "0");
}

void say_state(const char *who, const struct entry_state *s)
{
	for (u32 n = 0; n < 31; n++)
		if (n != 16)
			say("entry %s x%x = %x\n", who, (u64)n, s->x[n]);
	say_address(who, "sp", s->sp);
	say("entry %s nzcv = %x\n", who, s->nzcv);
	say("entry %s daif = %x\n", who, s->daif);
	say("entry %s currentel = %x\n", who, s->current_el);
	say("entry %s spsel = %x\n", who, s->spsel);
	say("entry %s sctlr = %x\n", who, s->sctlr);
	say_address(who, "vbar", s->vbar);
	say("entry %s ttbr0 = %x\n", who, s->ttbr0);
	say("entry %s ttbr1 = %x\n", who, s->ttbr1);
	say("entry %s tcr = %x\n", who, s->tcr);
	say("entry %s mair = %x\n", who, s->mair);
	say("entry %s cpacr = %x\n", who, s->cpacr);
	say("entry %s cntkctl = %x\n", who, s->cntkctl);
	say("entry %s tpidr_el0 = %x\n", who, s->tpidr0);
	say("entry %s tpidrro_el0 = %x\n", who, s->tpidrro);
	say_address(who, "tpidr_el1", s->tpidr1);
	say("entry %s esr = %x\n", who, s->esr);
	say("entry %s far = %x\n", who, s->far);
	say("entry %s elr = %x\n", who, s->elr);
	say("entry %s spsr = %x\n", who, s->spsr);
	say("entry %s contextidr = %x\n", who, s->contextidr);
	say("entry %s par = %x\n", who, s->par);
	say("entry %s cntv_ctl = %x\n", who, s->cntv);
	say("entry %s cntp_ctl = %x\n", who, s->cntp);
	say("entry %s mdscr = %x\n", who, s->mdscr);
	say("entry %s csselr = %x\n", who, s->csselr);
	say("entry %s sp_el0 = %x\n", who, s->sp0);
	say("entry %s afsr0 = %x\n", who, s->afsr0);
	say("entry %s afsr1 = %x\n", who, s->afsr1);
	say("entry %s amair = %x\n", who, s->amair);
}

void ask_entry(void)
{
	say_state(is_second ? "second" : "primary", &at_entry);
}
