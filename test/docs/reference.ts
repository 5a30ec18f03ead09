/** The pages of `docs/reference`, each made from the tables by a function. */
import { customRequestsPage, exceptionFiltersPage, systemFilePage } from './adapter-pages';
import { hypercallsPage, rmMessagesPage } from './hypercall-pages';
import { instructionsPage, systemRegistersPage } from './isa-pages';

/** Text by file name. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    ['hypercalls.md', hypercallsPage()],
    ['rm-messages.md', rmMessagesPage()],
    ['system-registers.md', systemRegistersPage()],
    ['instructions.md', instructionsPage()],
    ['custom-requests.md', customRequestsPage()],
    ['system-file.md', systemFilePage()],
    ['exception-filters.md', exceptionFiltersPage()],
  ]);
}
