// What the AsyncAPI project's own parser has to say of each document given, as JSON: findings, and what it understood.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const parser = new Parser();
const said = {};
for (const path of process.argv.slice(2)) {
  const { document, diagnostics } = await parser.parse(readFileSync(path, "utf8"));
  said[path] = {
    findings: diagnostics.map(({ code, message, path: place }) => `${code} ${place.join("/")}: ${message}`),
    version: document?.version(),
    channels: document?.channels().all().length,
    messages: document?.messages().all().length,
  };
}
console.log(JSON.stringify(said));
