// Removes from a production node_modules what this platform cannot load: ONNX Runtime brings the
// libraries of five platforms (290 MB), libsql those of glibc and of musl.
//   node docker/slim.mjs FOLDER
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = process.argv[2];
if (!root) throw new Error('usage: node slim.mjs NODE_MODULES');

const keepOnly = (folder, name) => {
  const names = readdirSync(folder);
  if (!names.includes(name)) throw new Error(`${folder} has no ${name}: this platform cannot run`);
  for (const other of names) if (other !== name) rmSync(join(folder, other), { recursive: true });
};

const binaries = join(root, 'onnxruntime-node', 'bin');
for (const napi of readdirSync(binaries)) {
  keepOnly(join(binaries, napi), process.platform);
  keepOnly(join(binaries, napi, process.platform), process.arch);
}
const isMusl = process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime;
if (process.platform === 'linux') {
  const folder = join(root, '@libsql');
  for (const name of readdirSync(folder)) if (name.endsWith(isMusl ? '-gnu' : '-musl')) rmSync(join(folder, name), { recursive: true });
}
