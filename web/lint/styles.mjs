// SPDX-License-Identifier: Apache-2.0
// Refuses what the design forbids: colours and px font sizes outside tokens.css, inline styles and
// scripts, which the content security policy would block, and addresses of other hosts.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export const rules = [
  {
    name: 'colour outside tokens.css',
    in: /\.(css|tsx?|html)$/,
    finds: /#[0-9a-f]{3,8}\b(?![/\w-])|\b(rgba?|hsla?|oklch)\(/i,
  },
  { name: 'font size in px outside tokens.css', in: /\.css$/, finds: /font(-size)?:[^;]*\b\d+(\.\d+)?px/ },
  { name: 'inline style', in: /\.(tsx|html)$/, finds: /\sstyle=|<style/ },
  { name: 'inline script', in: /\.html$/, finds: /<script(?![^>]*\ssrc=)|\son\w+=/ },
  { name: 'raw markup', in: /\.tsx?$/, finds: /dangerouslySetInnerHTML|innerHTML/ },
  { name: 'address of another host', in: /\.(css|tsx?|html)$/, finds: /https?:\/\/(?!www\.w3\.org)/ },
];

export function findings(name, text) {
  if (/tokens\.css$/.test(name)) {
    return [];
  }
  return text.split('\n').flatMap((line, i) =>
    rules
      .filter((rule) => rule.in.test(name) && rule.finds.test(line))
      .map((rule) => `${name}:${i + 1}: ${rule.name}: ${line.trim()}`),
  );
}

function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)],
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const all = [...files(join(root, 'src')), join(root, 'index.html')];
  const found = all.flatMap((file) => findings(relative(root, file), readFileSync(file, 'utf8')));
  found.forEach((line) => console.error(line));
  console.log(`styles: ${all.length} files, ${found.length} findings`);
  process.exitCode = found.length ? 1 : 0;
}
