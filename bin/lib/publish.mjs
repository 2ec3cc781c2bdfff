// Makes a built site ready to be embedded: names that carry a hash of the content, .br and .gz beside each file, manifest.txt.
// Usage: node publish.mjs FOLDER
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

// Asked for by these very names, by browsers and crawlers.
const FIXED = ['favicon.svg', 'robots.txt'];

const folder = process.argv[2];
const manifest = new Map();

/** Renames a file after its content, compresses it and notes it down; returns its new base name. */
function publish(path, content = readFileSync(join(folder, path))) {
  const name = basename(path);
  const extension = extname(name);
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
  const published = FIXED.includes(name) ? path : join(dirname(path), `${basename(name, extension)}.${hash}${extension}`);
  renameSync(join(folder, path), join(folder, published));
  writeFileSync(join(folder, published), content);
  writeFileSync(
    join(folder, `${published}.br`),
    brotliCompressSync(content, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
    }),
  );
  // Level 9, and no time stamp, so that equal sources give equal bytes.
  writeFileSync(join(folder, `${published}.gz`), gzipSync(content, { level: 9 }));
  manifest.set(name, published);
  return basename(published);
}

const wasm = publish('pkg/liteboard.wasm');
const script = readFileSync(join(folder, 'pkg/liteboard.js'), 'utf8');
publish('pkg/liteboard.js', Buffer.from(script.replaceAll('liteboard.wasm', wasm)));
for (const entry of readdirSync(folder, { withFileTypes: true })) {
  if (entry.isFile()) publish(entry.name);
}
writeFileSync(
  join(folder, 'manifest.txt'),
  [...manifest].sort().map(([name, published]) => `${name} ${published}\n`).join(''),
);
