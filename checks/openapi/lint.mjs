// Lints OpenAPI documents by redocly.yaml: one line for each finding, exit code 1 if there is any.
import { lint, loadConfig } from '@redocly/openapi-core';
import { fileURLToPath } from 'node:url';
import { relative } from 'node:path';

const config = await loadConfig({ configPath: fileURLToPath(new URL('redocly.yaml', import.meta.url)) });
let found = 0;
for (const document of process.argv.slice(2)) {
  for (const problem of await lint({ ref: document, config })) {
    if (problem.ignored) continue;
    found += 1;
    const at = problem.location[0]?.pointer ?? '';
    console.log(`${relative(process.cwd(), document)}${at}: ${problem.ruleId}: ${problem.message.split('\n')[0]}`);
  }
}
process.exit(found ? 1 : 0);
