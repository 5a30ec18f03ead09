/** `npm run docs:reference`: writes the pages of `docs/reference`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../tidy/project';
import { referencePages } from './reference';

const FOLDER = join(REPOSITORY, 'docs', 'reference');

mkdirSync(FOLDER, { recursive: true });
for (const [name, text] of referencePages()) writeFileSync(join(FOLDER, name), text);
