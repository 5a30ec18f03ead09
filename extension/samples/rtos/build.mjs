// Builds build/rtos.elf: node build.mjs [options of ../two-vms/build.mjs]
import { fileURLToPath } from 'node:url';
import { runBuild } from '../two-vms/build.mjs';

runBuild(fileURLToPath(new URL('programs.json', import.meta.url)), process.argv.slice(2));
