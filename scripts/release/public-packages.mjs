// @ts-check
/** The packages that a release publishes. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { platformPackages } from '../platforms/platform-packages.mjs'

/**
 * What is read of a manifest.
 * @typedef {object} Manifest
 * @property {string} name
 * @property {string} version
 * @property {boolean} [private]
 * @property {Record<string, unknown>} [exports]
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, string>} [optionalDependencies]
 * @property {Record<string, string>} [peerDependencies]
 */

/**
 * A public package.
 * @typedef {object} PublicPackage
 * @property {string} folder in the repository
 * @property {Manifest} manifest as the repository has it
 * @property {string | undefined} target the platform of a platform package
 */

/** @param {string} root @returns {PublicPackage[]} */
export function publicPackages(root) {
  const targets = new Map(platformPackages().map(({ folder, target }) => [folder, target]))
  const folders = [...readdirSync(join(root, 'packages')).map((name) => `packages/${name}`), ...targets.keys()]
  return folders
    .map((folder) => ({
      folder,
      manifest: JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')),
      target: targets.get(folder),
    }))
    .filter(({ manifest }) => manifest.private !== true)
}
