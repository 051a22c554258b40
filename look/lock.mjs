// Locks the development packages without naming any host: npm adds funding links, we drop them.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

const file = new URL('package-lock.json', import.meta.url)
execFileSync('npm', ['install', '--package-lock-only'], { cwd: new URL('.', import.meta.url) })
const lock = JSON.parse(readFileSync(file, 'utf8'))
for (const entry of Object.values(lock.packages)) delete entry.funding
writeFileSync(file, JSON.stringify(lock, null, 2) + '\n')
