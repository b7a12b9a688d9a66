// Validates an AsyncAPI document with the project's own parser: node validate.mjs FILE
import { Parser, fromFile } from '@asyncapi/parser';

const WORST = ['error', 'warning', 'information', 'hint'];
const [file] = process.argv.slice(2);
const { document, diagnostics } = await fromFile(new Parser(), file).parse();
const findings = diagnostics.filter((each) => each.severity <= 1); // a newer version of AsyncAPI is no fault
for (const { severity, path, message } of findings) {
  console.error(`${file}: ${WORST[severity]}: ${path.join('.')}: ${message}`);
}
if (document === undefined || findings.length > 0) {
  process.exit(1);
}
const channels = document.channels().all();
const messages = channels.flatMap((each) => each.messages().all());
console.log(`${file}: AsyncAPI ${document.version()}, ${channels.length} channels, ${messages.length} messages: valid`);
