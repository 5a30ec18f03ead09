/** Texts speak of the product: no paths of one machine, no addresses of registries, nothing about how a text came to be. */
import { textRule } from '../project';

const HOMES = ['home', 'root', 'Users', 'work', 'farm', 'tmp', 'var/tmp', 'mnt'];

/** Absolute paths that exist on one machine only. */
export const machinePathRule = textRule(new RegExp(`(?<![\\w.$}~-])/(?:${HOMES.join('|')})/[\\w.-]+`, 'g'), (path) => `${path} is a path of one machine`);

/** Where packages come from is the user's configuration. */
export const registryRule = textRule(/\b(?:registry|deb|security|packages|files|pypi|index|proxy)\.(?:npmjs|yarnpkg|debian|ubuntu|pypi|pythonhosted|golang)\.(?:org|com)\b/g, (host) => `${host} is a registry's address`);

/** The history of a text is in the repository's log. */
export const historyRule = textRule(/\bA\.?I\b(?!-)|\bLLMs?\b|\b[Ii]ssue #?\d+/g, (words) => `"${words}": texts do not speak of how they came to be`);
