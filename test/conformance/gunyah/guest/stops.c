/* VM_STOP by force, asked by the owner at every moment of a second VM's life, and by others. */
#include "probe.h"
#include "vm.h"

#define ARGUMENTS (HERE + ORDER_OFFSET + 0x100)
#define CHECK 0x68
#define FORCE (1u << 16)

static void say_vcpus(const char *name, u32 count)
{
	for (u32 cpu = 0; cpu < count; cpu++) {
		struct result check = hypercall(CHECK, vcpu[cpu], 0, 0, 0, 0, 0), r;

		say("stop vcpu %x check %s = %x | %x %x %x\n", (u64)cpu, name, check.x[0], check.x[1], check.x[2], check.x[3]);
		for (u32 i = 0; i < 2; i++) {
			r = hypercall(0x65, vcpu[cpu], 0, 0, 0, 0, 0);
			say("stop vcpu %x run %s = %x | %x %x %x %x\n", (u64)cpu, name, r.x[0], r.x[1], r.x[2], r.x[3], r.x[4]);
		}
		check = hypercall(CHECK, vcpu[cpu], 0, 0, 0, 0, 0);
		say("stop vcpu %x check after %s = %x | %x %x %x\n", (u64)cpu, name, check.x[0], check.x[1], check.x[2], check.x[3]);
	}
	delay(30000);
	say("rm stop heard after %s =", name);
	say_answers(0);
}

/* The stop and all that follows, up to the VM's end. */
static void stop(const char *name, u32 cpu_count)
{
	say("stop %s\n", name);
	/* When the Resource Manager hears of an end is a matter of time. */
	delay(30000);
	rm_ask("stop, force", STOP, 2, vmid | FORCE, 0x55u);
	rm_ask("stop state", STATE, 1, vmid);
	say_vcpus(name, cpu_count);
	rm_ask("stop again", STOP, 2, vmid | FORCE, 0x56u);
	rm_ask("stop by request", STOP, 2, vmid, 0u);
	rm_ask("stop start", START, 1, vmid);
	rm_ask("stop id", 0x56000010, 1, vmid);
	end();
	rm_ask("stop when gone", STOP, 2, vmid | FORCE, 0u);
}

/* A command that the VM begins and does not end. */
static void begin(const char *name, enum command what, u64 a, u64 b, u64 c, u64 d)
{
	const u64 values[] = { a, b, c, d };

	for (u32 i = 0; i < 4; i++)
		write64(ARGUMENTS + 8 * i, values[i]);
	run(name, 0, what);
}

static void ask_early(void)
{
	say("stop early\n");
	fill(OBEY, 1, "early");
	allocate();
	rm_ask("stop allocated", STOP, 2, vmid | FORCE, 0u);
	rm_ask("stop allocated, state", STATE, 1, vmid);
	give(LEND);
	rm_ask("stop given memory", STOP, 2, vmid | FORCE, 0u);
	configure();
	rm_ask("stop configured", STOP, 2, vmid | FORCE, 0u);
	rm_ask("stop configured, state", STATE, 1, vmid);
	rm_ask("stop configured, init", INIT, 1, vmid);
	rm_ask("stop ready", STOP, 2, vmid | FORCE, 0u);
	rm_ask("stop ready, state", STATE, 1, vmid);
	resources();
	rm_ask("stop ready, start", START, 1, vmid);
	stop("never run", 1);
}

static void ask_requests(void)
{
	live("stop requests", OBEY, LEND, 1);
	run("first question", 0, 0);
	rm_ask("stop short", STOP, 1, vmid | FORCE);
	rm_ask("stop nothing", STOP, 0);
	rm_ask("stop long", STOP, 3, vmid | FORCE, 0u, 0u);
	rm_ask("stop state after odd ones", STATE, 1, vmid);
	rm_ask("stop 0", STOP, 2, 0u | FORCE, 0u);
	rm_ask("stop 1", STOP, 2, 1u | FORCE, 0u);
	rm_ask("stop the owner", STOP, 2, 3u | FORCE, 0u);
	rm_ask("stop the next", STOP, 2, (vmid + 1) | FORCE, 0u);
	rm_ask("stop the manager", STOP, 2, 0xffu | FORCE, 0u);
	rm_ask("stop beyond", STOP, 2, 0xffffu | FORCE, 0u);
	rm_ask("stop, reserved byte", STOP, 2, vmid | FORCE | 1u << 24, 0u);
	rm_ask("stop state after the reserved byte", STATE, 1, vmid);
	say_vcpus("the reserved byte", 1);
	end();
}

static void ask_obeying(const char *name, u32 id, u32 how)
{
	live(name, OBEY, id, 1);
	run("first question", 0, 0);
	switch (how) {
	case 0: break;
	case 1: begin("answering", CALL, 0x20000, 0, 0, 0); break;
	case 2: begin("asleep", DOZE, 0, 0, 0, 0); break;
	case 3: begin("asleep with a timer", DOZE, 6250000, 0, 0, 0); break;
	case 4: begin("suspended", SERVICE, 0xc4000001, 0, 0, 0); break;
	case 5: begin("suspended deeply", SERVICE, 0xc4000001, 0x40000003, 0x41000000, 7); break;
	case 6: begin("system suspended", SERVICE, 0xc400000e, 0x41000000, 7, 0); break;
	case 7: begin("faulted", FAIL, 0, 0, 0, 0); break;
	case 8: begin("off", SERVICE, 0x84000002, 0, 0, 0); break;
	case 9: begin("reset", SERVICE, 0x84000009, 0, 0, 0); break;
	case 10: begin("system off", SERVICE, 0x84000008, 0, 0, 0); break;
	case 11: rm_ask("stop by request, unread", STOP, 2, vmid, 0x31u); break;
	}
	stop(name, 1);
}

static void ask_inside_stop(void)
{
	live_to_obey("stop inside", LEND, 1);
	say("stop inside itself = %x\n", obey_request("stop itself", STOP, 2, vmid | FORCE, 0x21, 0));
	say("stop inside itself gently = %x\n", obey_request("stop itself gently", STOP, 2, vmid, 0x21, 0));
	say("stop inside 0 = %x\n", obey_request("stop 0", STOP, 2, FORCE, 0x21, 0));
	say("stop inside its owner = %x\n", obey_request("stop its owner", STOP, 2, 3u | FORCE, 0x21, 0));
	say("stop inside its owner gently = %x\n", obey_request("stop its owner gently", STOP, 2, 3u, 0x21, 0));
	say("stop inside the manager = %x\n", obey_request("stop the manager", STOP, 2, 0xffu | FORCE, 0x21, 0));
	rm_ask("stop inside, state", STATE, 1, vmid);
	stop("after it asked itself", 1);
}

/* With a parcel that it has not accepted, reclaimed before and after. */
static void ask_parcels_left(void)
{
	u32 left;

	live("stop parcels", OBEY, SHARE, 1);
	run("first question", 0, 0);
	rm_ask("stop share one more", SHARE, 11, 0u, 0x71u, 2u, 3u | 6u << 16, vmid | 6u << 16, 1u, 0x62000000u, 0u, 0x1000u, 0u, 0u);
	left = reply_word(4);
	rm_ask("stop, force", STOP, 2, vmid | FORCE, 0x55u);
	rm_ask("stop reclaim when stopped", RECLAIM, 2, left, 0u);
	rm_ask("stop reclaim its memory", RECLAIM, 2, parcel, 0u);
	rm_ask("stop share when stopped", SHARE, 11, 0u, 0x72u, 2u, 3u | 6u << 16, vmid | 6u << 16, 1u, 0x62000000u, 0u, 0x1000u, 0u, 0u);
	left = reply_word(4);
	rm_ask("stop notify when stopped", NOTIFY, 2, left, 1u);
	rm_ask("stop deallocate when stopped", DEALLOCATE, 1, vmid);
	rm_ask("stop lookup when stopped", 0x56000025, 0);
	rm_ask("stop resources when stopped", RESOURCES, 1, vmid);
	end();
	rm_ask("stop reclaim at last", RECLAIM, 2, left, 0u);
}

void ask_stops(void)
{
	rm_patience = 500;
	ask_early();
	ask_requests();
	ask_obeying("stop asking", LEND, 0);
	ask_obeying("stop shared", SHARE, 0);
	ask_obeying("stop answering", LEND, 1);
	ask_obeying("stop asleep", LEND, 2);
	ask_obeying("stop with a timer", LEND, 3);
	ask_obeying("stop suspended", LEND, 4);
	ask_obeying("stop suspended deeply", LEND, 5);
	ask_obeying("stop suspended system", LEND, 6);
	ask_obeying("stop faulted", LEND, 7);
	ask_obeying("stop off", LEND, 8);
	ask_obeying("stop reset", LEND, 9);
	ask_obeying("stop system off", LEND, 10);
	ask_obeying("stop after a request", LEND, 11);
	ask_inside_stop();
	ask_parcels_left();
}
