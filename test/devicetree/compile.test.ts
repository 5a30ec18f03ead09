import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compileDts, decodeDtb, encodeDtb, hasErrors, printDts } from '../../runtime/devicetree';

function dtc(source: string, flags: readonly string[]): Uint8Array {
  const run = spawnSync('dtc', ['-q', '-q', '-I', 'dts', '-O', 'dtb', ...flags, '-'], { input: source });
  assert.equal(run.status, 0, run.stderr.toString());
  return run.stdout;
}

function readable(bytes: Uint8Array): string {
  return execFileSync('dtc', ['-q', '-q', '-I', 'dtb', '-O', 'dts', '-'], { input: bytes, encoding: 'utf8' });
}

/** Compiles with dtc and with ours and compares bytes; preprocesses for dtc if the source needs it. */
function checkSameAsDtc(body: string, flags: readonly string[] = [], header = '/dts-v1/;\n'): void {
  const source = header + body;
  const ours = compileDts(source, { symbols: flags.includes('-@') });
  assert.deepEqual(ours.diagnostics.filter(({ severity }) => severity === 'error'), []);
  const plain = /^\s*#\s*(define|if)/m.test(source) ? execFileSync('cpp', ['-nostdinc', '-undef', '-D__DTS__', '-x', 'assembler-with-cpp', '-P', '-'], { input: source, encoding: 'utf8' }) : source;
  const theirs = dtc(plain, flags);
  if (Buffer.compare(ours.bytes, theirs) !== 0) assert.equal(readable(ours.bytes), readable(theirs));
  assert.deepEqual(Buffer.from(ours.bytes), Buffer.from(theirs));
  const decoded = decodeDtb(theirs);
  assert.ok(decoded.ok);
  assert.deepEqual(decoded.value.diagnostics, []);
  assert.deepEqual(Buffer.from(encodeDtb(decoded.value.tree)), Buffer.from(theirs));
}

describe('compileDts writes the bytes of dtc for', () => {
  it('an empty root', () => { checkSameAsDtc('/ { };'); });

  it('cells, strings, bytes, empty properties and several values', () => {
    checkSameAsDtc(`/ { #address-cells = <1>; a = <1 0x2 'c' 017 '\\n' '\\x41'>, "text\\t\\x7f\\101", [00 ff a0b1]; empty; compatible = "x,y", "z"; q = "a\\"b\\\\"; big = <0xffffffff (-1)>; };`);
  });

  it('elements of 8, 16, 32 and 64 bits', () => {
    checkSameAsDtc('/ { a = /bits/ 8 <1 255 (-1)>; b = /bits/ 16 <0x1234 0xffff>; c = /bits/ 64 <0x123456789abcdef0 (1 << 40) (-1)>; d = /bits/ 32 <1>; };');
  });

  it('expressions', () => {
    checkSameAsDtc('/ { a = <(1 + 2 * 3) (10 / 3) (10 % 4) (1 << 4 | 1) (~0) (!1) (!0) (5 > 3 && 2 < 1) (1 ? 2 : 3) (0 || 7) (0xff & ~0xf) (3 ^ 1) (1 == 1) (1 != 1) (7 >> 1) (-1 / 2 > 5 ? 1 : 0) (2 >= 2) (2 <= 1) ((1 + 1) * (2 + 2)) (10UL - 3ULL)>; };');
  });

  it('labels and references by label and path, forward and backward', () => {
    checkSameAsDtc('/ { labels = l4: <1 l5: 2 l6:> l7:, [00 l8: 11], "s" l9: ; r = <&b>, <&{/x/c} 1 &a 2>; p = &a; q = &{/x/c}, "s", &b; l1: l2: a: x { l3: c { }; }; b: y { self = <&b>; }; };');
  });

  it('given phandles, own phandles by self reference, and the gaps between', () => {
    checkSameAsDtc('/ { r = <&a &b &c &d>; a: a { phandle = <2>; }; b: b { }; c: c { phandle = <&c>; }; d: d { linux,phandle = <1>; }; };');
  });

  it('merging of roots and labels', () => {
    checkSameAsDtc('/ { a { x = <1>; y = <2>; }; }; / { n = "v"; b { }; a { y = <3>; z; k { }; }; }; / { l: c { }; }; &l { p; q { }; }; m: &l { r; }; &{/a} { w; };');
  });

  it('deletion of nodes and properties, and what comes back after it', () => {
    checkSameAsDtc('/ { l: a { x; y; z; k { }; m { }; }; b { }; c { }; }; / { /delete-node/ b; a { /delete-property/ y; /delete-node/ k; }; }; &l { y = <1>; k { new; }; }; / { b { back; }; };');
    checkSameAsDtc('/ { l: a { }; m: b { }; }; /delete-node/ &l; /delete-node/ &{/b}; / { b { n: x { }; }; }; &n { p; };');
    checkSameAsDtc('/ { a { x; /delete-property/ x; k { }; }; };');
    checkSameAsDtc('/ { a { /delete-property/ x; y; /delete-node/ k; j { }; }; }; / { a { x; k { }; }; };');
  });

  it('nodes that are left out unless referenced', () => {
    checkSameAsDtc('/ { r = <&b>; /omit-if-no-ref/ a: a { }; /omit-if-no-ref/ b: b { }; c: c { }; }; /omit-if-no-ref/ &c;');
  });

  it('what it prints of nodes that stay because of one that is left out', () => {
    const source = '/dts-v1/;\n/ { /omit-if-no-ref/ a: a { r = <&b>; }; /omit-if-no-ref/ b: b { }; };';
    const { tree, bytes } = compileDts(source);
    assert.deepEqual(tree.root.children.map(({ name }) => name), ['b']);
    assert.deepEqual(compileDts(printDts(tree)).bytes, bytes);
    assert.deepEqual(Buffer.from(bytes), Buffer.from(dtc(source, [])));
  });

  it('memory reservations', () => { checkSameAsDtc('/memreserve/ 0x1000 0x2000; /memreserve/ (1 << 32) 0x10; / { };'); });

  it('the boot CPU of /cpus', () => { checkSameAsDtc('/ { cpus { #address-cells = <1>; #size-cells = <0>; cpu@5 { reg = <5>; }; cpu@1 { reg = <1>; }; }; };'); });

  it('property names that end others', () => { checkSameAsDtc('/ { foo,reg; reg; eg; xreg = <1>; reg,y; y; };'); });

  it('the name property of old trees', () => { checkSameAsDtc('/ { m@1 { name = "m"; a; }; };'); });

  it('odd names and comments anywhere', () => {
    checkSameAsDtc('/* a { */ / { // b\n 0123,a+b*c#d?e.f_g-h = <1>; \\#x = /* c */ <1 /* } */ 2>; 12 = "x" ; node@0,1 { }; };');
  });

  it('symbols', () => {
    checkSameAsDtc('/ { r = <&c>; a: b: x { c: y { }; }; /omit-if-no-ref/ d: z { }; };', ['-@']);
  });

  it('overlays with fixups', () => {
    const header = '/dts-v1/;\n/plugin/;\n';
    checkSameAsDtc('&ext { status = "okay"; own: child { r = <&own &other 3 &other>; s = <0>, "x", <&own>; }; };', [], header);
    checkSameAsDtc('&ext { own: child { r = <&own &other>; }; }; &{/soc/x} { p; }; &own { q = <&third>; };', ['-@'], header);
    checkSameAsDtc('/ { fragment@1 { target = <&t>; __overlay__ { a = <&t>; }; }; fragment@7 { target-path = "/x"; __overlay__ { }; }; }; &late { };', ['-@'], header);
    checkSameAsDtc('/ { compatible = "x"; };', ['-@'], header);
  });

  it('macros', () => {
    checkSameAsDtc(`#define A 1
#define B (A + 1)
#define ADD(x, y) ((x) + (y))
#define CAT(a, b) a ## b
#define XCAT(a, b) CAT(a, b)
#define STR(x) #x
#define XSTR(x) STR(x)
#define PIN(n) pin##n: pin@n
#define V(...) <__VA_ARGS__>
#define MULTI(a) <a \\
   2>
#define EMPTY
/ { a = <A B ADD(A, ADD(2, 3))>; #address-cells = <A>; XCAT(p, A) = STR(a  + "b"), XSTR(B);
#if A == 1 && !defined(C) || 0
  yes;
#ifdef NOPE
  no = "it's /* not closed";
#elif 0
#else
  other EMPTY = MULTI(1);
#endif
#else
  no;
#endif
  v = V(1 2); n = "A // no comment"; /* A */
  PIN(3) { x = <&pin3>; };
#undef A
  A { };
};`);
  });
});

describe('compileDts', () => {
  it('reports errors and still writes a blob', () => {
    const made = compileDts('/dts-v1/; / { a = <&missing>; };');
    assert.equal(hasErrors(made.diagnostics), true);
    assert.ok(decodeDtb(made.bytes).ok);
  });
});

const AROUND = [
  '/dts-v1/;', '/dts-v1/;', '/plugin/;', '/memreserve/ 1 2;', 'x: y: /memreserve/ (1 + 2) 3;', '/ { };', '/ { a: n { b: s@1 { }; }; };', '&a { };', '&other { };', '&{/n} { };', 'z: &a { };', 'z: &{/n} { };', 'z: &other { };',
  'w: v: &a { };', 'z: / { };', 'z: /delete-node/ &a;', '/delete-node/ &b;', '/omit-if-no-ref/ &b;', '/ { p = <5UL 0x1fULL 2u>; };', '/ { p = <0x10U 7LL>; };', ';', 'z:',
];

describe('what stands outside nodes', () => {
  it('is taken or refused in every order as dtc does it, and comes to the same bytes', () => {
    const counts = { taken: 0, refused: 0 };
    const check = (source: string): void => {
      const run = spawnSync('dtc', ['-q', '-q', '-I', 'dts', '-O', 'dtb', '-'], { input: source });
      const { diagnostics, bytes } = compileDts(source);
      assert.equal(!hasErrors(diagnostics), run.status === 0, `${source}\n${run.stderr.toString()}\n${diagnostics.map(({ message }) => message).join('\n')}`);
      if (run.status === 0) assert.deepEqual(Buffer.from(bytes), run.stdout, source);
      counts[run.status === 0 ? 'taken' : 'refused']++;
    };
    const some = fc.array(fc.constantFrom(...AROUND), { maxLength: 4 });
    fc.assert(fc.property(some, fc.constantFrom('', '/plugin/;', '/plugin/;'), some, (before, plugin, behind) => { check(['/dts-v1/;', plugin, ...before, '/ { a: n { b: s@1 { }; }; };', ...behind].join('\n')); }), { numRuns: 150 });
    fc.assert(fc.property(some, (items) => { check(items.join('\n')); }), { numRuns: 50 });
    assert.ok(counts.taken > 10 && counts.refused > 10, JSON.stringify(counts));
  });
});
