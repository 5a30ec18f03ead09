/** What the help says of the commands of `gunyah dt`. */

/** The lines of each command. */
export const DT_COMMAND_USAGE = {
  check: `  gunyah dt check FILE... [options]       check device trees, source or blobs
      --bindings DIR              check against the bindings below a folder, too; several may be given
      --include DIR, -i DIR       search a folder for included files; several may be given
      --within DIR                read included files only below DIR and the --include folders; several may be given
      --base FILE                 the tree that overlays are for, if not the one found
      -W NAME, -E NAME, --no NAME tell a check of dtc as warning, as error, or not (also -W no-NAME, -E no-NAME)
      --no-cache                  read bindings anew, and keep nothing of them in ~/.cache/gunyah-debug
      --undocumented              report compatible strings that no binding knows
      --rm GENERATION             which RM reads VM configurations: open-2023 (else), newer, or none to leave its rules out
      --trust KIND                whether the platform trusts the VM: trusted, untrusted, or unknown
      --fail-on SEVERITY          end with 1 from this on: error (else) or warning
      --json | --sarif            print a list of objects, or SARIF 2.1.0
      --verbose                   say which bindings cannot be used`,
  compile: `  gunyah dt compile FILE [-o OUT] [-@] [-b CPU] [--include DIR] [--within DIR]
                                  source to blob; -@ keeps labels as symbols`,
  decompile: `  gunyah dt decompile FILE [-o OUT] [--include DIR] [--within DIR]
                                  blob to source; given source, the merged tree`,
  apply: `  gunyah dt apply BASE OVERLAY... [-o OUT] [--include DIR] [--within DIR]
                                  overlays into a tree, each source or blob, as a blob`,
  merge: `  gunyah dt merge BASE [OVERLAY...] [-o OUT] [--include DIR] [--within DIR]
                                  the same as source`,
  format: `  gunyah dt format FILE... [--check]      Linux style, in place; - is standard input to standard output`,
} as const;

/** The names of the commands. */
export type DtCommandName = keyof typeof DT_COMMAND_USAGE;

/** All of them. */
export const DT_USAGE: string = Object.values(DT_COMMAND_USAGE).join('\n');

/** What is the same for all of them. */
export const DT_USAGE_NOTES = `FILE may be - for standard input. check and format take patterns in quotes, too: 'boards/**/*.{dts,dtso}'.
Exit status: 0, 1 a tree has errors or a file would change, 2 bad usage or a file that cannot be read or written.`;
