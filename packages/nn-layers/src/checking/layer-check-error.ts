import { HeMlError } from '@he-ml/ckks-core'

/** A layer does not keep a contract. */
export class LayerCheckError extends HeMlError {
  /** What is wrong, one text for each finding. */
  readonly findings: readonly string[]
  constructor(name: string, findings: readonly string[]) {
    const list = findings.map((finding) => `\n  - ${finding}`).join('')
    super('LayerCheck', `layer "${name}" breaks its contract in ${findings.length} ways:${list}`)
    this.findings = findings
  }
}
