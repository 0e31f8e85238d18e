// SPDX-License-Identifier: GPL-2.0-or-later
// What editors see: see `run`, which starts this in a directory with the packages and topod.schema.json. Exit status 1 if
// anything is not as it should be; the number of wrong files that are marked is only printed, because a schema cannot see all
// mistakes, and must not grow smaller (MARKED).
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import Ajv2020 from 'ajv/dist/2020.js';
import YAML from 'yaml';
import rpc from 'vscode-jsonrpc/node.js';

const MARKED = 40;
const top = process.argv[2];
const specs = fs.readdirSync(path.join(top, 'specs')).filter(f => f.endsWith('.yaml')).sort()
  .map(f => [f, fs.readFileSync(path.join(top, 'specs', f), 'utf8')]);
const wrong = fs.readFileSync(path.join(top, 'tests/editor/wrong.yaml'), 'utf8').split('---\n').slice(1)
  .map(t => [t.split('\n')[0].slice(2), t]);
const schemaFile = path.resolve('topod.schema.json');
const schema = JSON.parse(fs.readFileSync(schemaFile, 'utf8'));
let failures = 0;

function expect(good, what) {
  if (!good) {
    failures++;
    console.log(`FAILED: ${what}`);
  }
}

function count(tool, marks) {
  for (const [name] of specs) {
    const found = marks.get(name);
    expect(!found.length, `${tool} marks specs/${name}: ${found.join('; ')}`);
  }
  const marked = wrong.filter(([name]) => marks.get(name).length);
  console.log(`${tool}: ${specs.length} specs without a mark, ${marked.length} of ${wrong.length} wrong files marked; not marked: `
    + wrong.filter(w => !marked.includes(w)).map(([name]) => name).join('; '));
  expect(marked.length >= MARKED, `${tool} marks only ${marked.length} wrong files, not ${MARKED}`);
}

// ---- ajv ----

const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
ajv.addKeyword('patternErrorMessage'); // for editors
const validate = ajv.compile(schema);
count('ajv', new Map([...specs, ...wrong].map(([name, text]) =>
  [name, validate(YAML.parse(text)) ? [] : validate.errors.map(e => `${e.instancePath} ${e.message}`)])));

// ---- the language server ----

const server = spawn(process.execPath, ['node_modules/yaml-language-server/bin/yaml-language-server', '--stdio'],
  { stdio: ['pipe', 'pipe', 'inherit'] });
const connection = rpc.createMessageConnection(new rpc.StreamMessageReader(server.stdout), new rpc.StreamMessageWriter(server.stdin));
const settings = { yaml: { validate: true, hover: true, completion: true, schemaStore: { enable: false },
  schemas: { [`file://${schemaFile}`]: '*.yaml' } } };
const waiting = new Map();

connection.onRequest('workspace/configuration', ({ items }) => items.map(i => i.section === 'yaml' ? settings.yaml : {}));
connection.onRequest('client/registerCapability', () => null);
connection.onNotification('textDocument/publishDiagnostics', ({ uri, diagnostics }) => waiting.get(uri)?.(diagnostics));
connection.listen();
await connection.sendRequest('initialize', { processId: process.pid, rootUri: null, capabilities: {
  workspace: { configuration: true }, textDocument: { hover: { contentFormat: ['markdown'] }, completion: {} } } });
connection.sendNotification('initialized', {});
connection.sendNotification('workspace/didChangeConfiguration', { settings });

let n = 0;
function open(text) {
  const uri = `file:///tmp/topod-editor/${n++}.yaml`;
  const marks = new Promise(resolve => waiting.set(uri, resolve));
  connection.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId: 'yaml', version: 1, text } });
  return { uri, marks };
}

const marks = new Map();
for (const [name, text] of [...specs, ...wrong])
  marks.set(name, (await open(text).marks).map(d => `${d.range.start.line + 1}: ${d.message}`));
count('yaml-language-server', marks);
for (const [name] of wrong)
  for (const m of marks.get(name))
    console.log(`  ${name}: ${m.split('\n')[0]}`);

// What is offered and explained at the '@' of the text.
function at(text) {
  const offset = text.indexOf('@'), before = text.slice(0, offset).split('\n');
  return { ...open(text.replace('@', '')), position: { line: before.length - 1, character: before.at(-1).length } };
}

async function ask(method, text) {
  const { uri, marks, position } = at(text);
  await marks;
  return connection.sendRequest(method, { textDocument: { uri }, position });
}

const kinds = schema.$defs.interface.properties.kind.enum;
const offered = await ask('textDocument/completion', 'namespaces:\n  a:\n    interfaces:\n      x:\n        kind: @\n');
const labels = (offered.items ?? offered).map(i => i.label);
expect(kinds.every(k => labels.includes(k)), `kind: offers ${labels.join(', ')}, not ${kinds.filter(k => !labels.includes(k))}`);
const keys = await ask('textDocument/completion', 'namespaces:\n  a:\n    interfaces:\n      x:\n        kind: vlan\n        @\n');
for (const key of ['link', 'id', 'protocol', 'mtu', 'addresses'])
  expect((keys.items ?? keys).some(i => i.label === key), `an interface of kind vlan offers no '${key}'`);
expect(!(keys.items ?? keys).some(i => i.label === 'vlan-filtering'), 'an interface of kind vlan offers keys of a bridge');
const hover = await ask('textDocument/hover', 'namespaces:\n  a:\n    interfaces:\n      x: {kind: bridge, vlan-@filtering: true}\n');
console.log(`hover of vlan-filtering: ${JSON.stringify(hover?.contents?.value ?? hover)}`);
expect(/^#* ?vlan-filtering/.test(hover?.contents?.value ?? ''), 'the hover is not headed by the key');
const bad = marks.get('an unknown kind').join(' ');
expect(kinds.every(k => bad.includes(k)), `a wrong kind does not list all: ${bad}`);

connection.dispose();
server.kill();
console.log(failures ? `${failures} failed` : 'all as it should be');
process.exit(failures ? 1 : 0);
