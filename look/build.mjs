// Writes the portal's stylesheet and copies what it ships from npm into the package.
// The stylesheet ends with a stamp over its sources, so that a test notices a stale build.
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as sass from 'sass'

const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(here)
const uswds = join(here, 'node_modules/@uswds/uswds')
const out = join(root, 'src/vedette/web/static/vedette')
const assets = join(root, 'tests/web/assets')

const fonts = [
  'public-sans/PublicSans-Regular.woff2',
  'public-sans/PublicSans-Italic.woff2',
  'public-sans/PublicSans-SemiBold.woff2',
  'public-sans/PublicSans-Bold.woff2',
  'roboto-mono/roboto-mono-v5-latin-regular.woff2'
]

function stamp () {
  const hash = createHash('sha256')
  const sources = ['build.mjs', 'package.json', ...readdirSync(join(here, 'src')).map(n => `src/${n}`)]
  for (const name of sources.sort()) {
    hash.update(name + '\0')
    hash.update(readFileSync(join(here, name)))
  }
  return hash.digest('hex')
}

function copy (from, to) {
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(from, to)
}

const compiled = sass.compile(join(here, 'src/vedette.scss'), {
  loadPaths: [join(uswds, 'packages')],
  style: 'compressed',
  quietDeps: true,
  silenceDeprecations: ['if-function', 'global-builtin', 'import']
})
// an empty url() stands for no icon; collectstatic would take it for a file
const css = compiled.css.replaceAll('url("")', 'none')
for (const [, path] of css.matchAll(/url\(["']?(img\/[^)"']+)["']?\)/g)) {
  copy(join(uswds, 'dist', path), join(out, path))
}
for (const name of fonts) {
  copy(join(uswds, 'dist/fonts', name), join(out, 'fonts', basename(name)))
}
copy(join(here, 'node_modules/htmx.org/dist/htmx.min.js'), join(out, 'htmx.min.js'))
copy(join(here, 'node_modules/axe-core/axe.min.js'), join(assets, 'axe.min.js'))
mkdirSync(out, { recursive: true })
writeFileSync(join(out, 'vedette.css'), `${css.trimEnd()}\n/* sources ${stamp()} */\n`)
