// What a process runs that stands in for many: imports the test files it is told (by paths below the
// working directory) one after the other, each inside a suite named by its path. A hook that a file
// sets at its top level is so one of that suite, and what the file reports begins with its path.
import { join } from 'node:path';
import { before, suite } from 'node:test';
import { pathToFileURL } from 'node:url';

for (const file of process.argv.slice(2)) {
  const path = join(process.cwd(), file);
  await suite(file, async () => {
    // The words of a failure name the file by which it can be run again.
    before(() => process.argv.splice(1, 1, path));
    await import(pathToFileURL(path).href);
  });
}
