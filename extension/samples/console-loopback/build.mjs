// Builds build/primary.elf and build/terminal.elf: node build.mjs [options of ../two-vms/build.mjs]
import { join } from 'node:path';
import { runBuild } from '../two-vms/build.mjs';

runBuild(join(import.meta.dirname, 'programs.json'), process.argv.slice(2));
