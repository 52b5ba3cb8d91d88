// `lint.mjs RULES DOCUMENT…` lints OpenAPI documents by these rules: one line for each finding, exit code 1 if there is any.
import { lint, loadConfig } from '@redocly/openapi-core';
import { relative } from 'node:path';

const [rules, ...documents] = process.argv.slice(2);
const config = await loadConfig({ configPath: rules });
let found = 0;
for (const document of documents) {
  for (const problem of await lint({ ref: document, config })) {
    if (problem.ignored) continue;
    found += 1;
    const at = problem.location[0]?.pointer ?? '';
    console.log(`${relative(process.cwd(), document)}${at}: ${problem.ruleId}: ${problem.message.split('\n')[0]}`);
  }
}
process.exit(found ? 1 : 0);
