/**
 * Speed of the interpreter on small integer kernels: `node --import tsx test/engine/kernels.bench.ts [kernel] [--reference]`.
 * With `--reference` the same programs also run on `qemu-system-aarch64 -icount shift=0`, start-up subtracted.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { parseElf } from '../../runtime/images/elf';
import { createEngine } from '../../runtime/engine';
import { toPa } from './support';

const SOURCE = `
typedef unsigned long u64; typedef unsigned u32; typedef unsigned char u8;
__asm__(".section .start,\\"ax\\"\\n.global _start\\n_start: ldr x0,=0x40600000\\n mov sp,x0\\n bl run\\n mov x9,x0\\n movz w0,#8\\n movk w0,#0x8400,lsl #16\\n hvc #0\\n b .\\n");
void *memset(void *d, int c, u64 n) { u8 *p = d; while (n--) *p++ = c; return d; }
static u8 flags[65536]; static u32 table[256]; static u8 buffer[65536], other[65536];
static u64 sieve(void) { u64 n = 0; for (int i = 0; i < 65536; i++) flags[i] = 1;
  for (u32 i = 2; i < 65536; i++) if (flags[i]) { n++; for (u32 j = 2 * i; j < 65536; j += i) flags[j] = 0; } return n; }
static u64 crc(void) { for (u32 i = 0; i < 256; i++) { u32 c = i; for (int k = 0; k < 8; k++) c = c & 1 ? (c >> 1) ^ 0xedb88320u : c >> 1; table[i] = c; }
  u32 c = ~0u; for (int i = 0; i < 65536; i++) c = table[(c ^ buffer[i]) & 255] ^ (c >> 8); return c; }
struct node { struct node *next; short value, index; }; static struct node nodes[512];
static short ma[32][32], mb[32][32]; static int mc[32][32];
static u64 coremark(void) { u64 sum = 0; struct node *head = 0;
  for (int i = 0; i < 512; i++) { nodes[i].value = (i * 7919) & 0x7ff; nodes[i].index = i; nodes[i].next = head; head = &nodes[i]; }
  for (int pass = 0; pass < 20; pass++) { struct node *r = 0; while (head) { struct node *n = head->next; head->next = r; r = head; head = n; } head = r;
    for (struct node *p = head; p; p = p->next) if (p->value > pass * 50) sum += p->index; }
  for (int i = 0; i < 32; i++) for (int j = 0; j < 32; j++) { ma[i][j] = i + j; mb[i][j] = i - j; }
  for (int i = 0; i < 32; i++) for (int j = 0; j < 32; j++) { int s = 0; for (int k = 0; k < 32; k++) s += ma[i][k] * mb[k][j]; mc[i][j] = s; sum += s; }
  int state = 0; for (int i = 0; i < 8192; i++) { u8 c = buffer[i]; switch (state) { case 0: state = c < 64 ? 1 : c < 128 ? 2 : 0; break; case 1: state = c & 1 ? 3 : 0; sum++; break;
    case 2: state = c & 2 ? 0 : 4; break; case 3: state = c == 7 ? 5 : 1; break; case 4: sum += c; state = 3; break; default: state = 0; } } return sum; }
static __attribute__((noinline)) u64 fib_of(u32 n) { return n < 2 ? n : fib_of(n - 1) + fib_of(n - 2); }
static u64 fib(void) { return fib_of(22); }
static u64 copy(void) { u64 *a = (u64 *)buffer, *b = (u64 *)other; for (int r = 0; r < 8; r++) for (int i = 0; i < 8192; i += 4) { u64 x = a[i], y = a[i+1], z = a[i+2], w = a[i+3]; b[i] = x; b[i+1] = y; b[i+2] = z; b[i+3] = w; __asm__("":::"memory"); } return b[5]; }
static u64 xorshift(void) { u64 s = 88172645463325252ul, t = 0; for (int i = 0; i < 60000; i++) { s ^= s << 13; s ^= s >> 7; s ^= s << 17; t += s; } return t; }
u64 run(void) { u64 total = 0; u64 s = 1; for (int i = 0; i < 65536; i++) { s = s * 6364136223846793005ul + 1; buffer[i] = s >> 56; }
  for (int i = 0; i < ROUNDS; i++) total += KERNEL(); return total; }
`;

const WARM_UP = 400_000_000;
/** Kernel and rounds for about 800 million instructions. */
const KERNELS = [['sieve', 720], ['crc', 1600], ['coremark', 1800], ['fib', 1400], ['copy', 4500], ['xorshift', 2100]] as const;

function build(folder: string, kernel: string, rounds: number): string {
  const [source, elf] = [join(folder, `${kernel}.c`), join(folder, `${kernel}${rounds}.elf`)];
  writeFileSync(source, SOURCE);
  const gcc = spawnSync('aarch64-linux-gnu-gcc', ['-O2', '-fno-tree-loop-distribute-patterns', '-mgeneral-regs-only', '-ffreestanding', '-nostdlib', '-static', '-Wl,-Ttext-segment=0x40200000', '-Wl,-z,max-page-size=4096',
    '-Wl,--build-id=none', '-Wl,-e,_start', `-DKERNEL=${kernel}`, `-DROUNDS=${rounds}`, '-o', elf, source], { encoding: 'utf8' });
  if (gcc.status !== 0) throw new Error(gcc.stderr);
  return elf;
}

function runHere(elf: string, tier: 'fast' | 'exact'): { readonly seconds: number; readonly retired: number; readonly measured: number; readonly result: bigint } {
  const engine = createEngine({ ram: [{ base: toPa(0x4000_0000n), sizeBytes: 16 << 20 }], vcpuCountMax: 1, counterShift: 4 });
  engine.setTier(tier);
  const parsed = parseElf(new Uint8Array(readFileSync(elf)));
  if (!parsed.ok) throw new Error(parsed.error.message);
  for (const segment of parsed.value.segments.filter((one) => one.type === 1 && one.physicalAddress >= 0x4000_0000n)) engine.memory.write(toPa(segment.physicalAddress), segment.bytes);
  engine.vcpu(0).pc = parsed.value.entry;
  let start = process.cpuUsage();
  let retired = 0;
  let warm = 0;
  for (;;) {
    const result = engine.run(0, { budget: 2_000_000, tickNow: retired });
    retired += result.retired;
    // The first stretch runs while the host still compiles, on other threads whose time counts too.
    if (warm === 0 && retired > WARM_UP) {
      warm = retired;
      start = process.cpuUsage();
    }
    if (result.exit.reason === 'hvc') break;
    if (result.exit.reason !== 'budget') throw new Error(JSON.stringify(result.exit, (_, value: unknown) => (typeof value === 'bigint' ? value.toString(16) : value)));
  }
  const used = process.cpuUsage(start);
  return { seconds: (used.user + used.system) / 1e6, retired, measured: retired - warm, result: engine.vcpu(0).x(9) };
}

/** CPU seconds of the reference. */
function runReference(elf: string): number {
  const command = `qemu-system-aarch64 -M virt -cpu cortex-a57 -m 64 -icount shift=0,sleep=off -nic none -nographic -kernel ${elf} >/dev/null && times`;
  const result = spawnSync('sh', ['-c', command], { encoding: 'utf8', timeout: 120_000 });
  if (result.status !== 0) throw new Error(`reference: ${String(result.error)} ${result.stderr}${result.stdout}`);
  const [, user = '0', system = '0'] = /\n(\d+m[\d.]+)s (\d+m[\d.]+)s/.exec(result.stdout) ?? [];
  const seconds = (text: string): number => text.split('m').reduce((sum, part) => sum * 60 + Number(part), 0);
  return seconds(user) + seconds(system);
}

const names = process.argv.slice(2).filter((name) => !name.startsWith('--'));
const withReference = process.argv.includes('--reference');
const folder = mkdtempSync(join(tmpdir(), 'engine-bench-'));
let product = 1;
let count = 0;
for (const [kernel, rounds] of KERNELS) {
  if (names.length > 0 && !names.includes(kernel)) continue;
  const elf = build(folder, kernel, rounds);
  const { seconds, retired, measured, result } = runHere(elf, process.argv.includes('--exact') ? 'exact' : 'fast');
  const mips = measured / seconds / 1e6;
  product *= mips;
  count++;
  let text = `${kernel.padEnd(9)} ${mips.toFixed(0).padStart(5)} MIPS  ${retired} instructions, result ${result.toString(16)}`;
  if (withReference) {
    const theirs = retired / (runReference(elf) - runReference(build(folder, kernel, 0))) / 1e6;
    text += `  reference ${theirs.toFixed(0)} MIPS, ratio ${(mips / theirs).toFixed(2)}`;
  }
  process.stdout.write(`${text}\n`);
}
process.stdout.write(`geometric mean ${Math.pow(product, 1 / count).toFixed(0)} MIPS\n`);
rmSync(folder, { recursive: true });
