/** Walks the nodes in order: what depends on no image is computed, everything else becomes part of the graph. */
import { FormatError } from '@he-ml/ckks-core'
import type { NodeProto } from '../generated/onnx-subset_pb.ts'
import { checkRule } from './check-rule.ts'
import { FOLDS, READS_SIZE } from './folding/index.ts'
import { asList } from './folding/movement.ts'
import { isStandard } from './graph-frame.ts'
import { type Context, Operation } from './operation.ts'
import { OPERATORS, REPLACEMENTS } from './operators/index.ts'
import { rulesOf } from './opsets.ts'

/** @throws FormatError, UnsupportedError naming the node */
export function translateNode(node: NodeProto, index: number, context: Context): void {
  const op = new Operation(node, index, context)
  if (!isStandard(node.domain))
    throw op.unsupported(
      `the operator ${node.domain}.${node.opType} is not supported: it is none of ONNX's own`,
      'export with standard operators only',
    )
  if (!rulesOf(node.opType)) throw unknown(op)
  checkRule(op, op.attributes.names)
  op.guarded(() => {
    const fold = FOLDS.get(op.type)
    if (fold && (op.isConstantExpression || READS_SIZE.has(op.type))) {
      asList(op, fold(op)).forEach((constant, i) => {
        if (op.outputs[i]) context.constants.set(op.outputs[i]!, constant)
      })
    } else if (op.isConstantExpression)
      throw op.unsupported(
        `all its inputs are constants, and ${op.type} is not computed in advance`,
        'export it folded',
      )
    else {
      const translate = OPERATORS.get(op.type)
      if (!translate) throw unknown(op)
      translate(op)
    }
    op.attributes.finish()
  })
}

/** @throws UnsupportedError for a value that its node does not give in inference: a mask, a batch's statistics */
export function checkRead(node: NodeProto, index: number, context: Context): void {
  for (const name of node.input)
    if (name !== '' && !context.constants.has(name) && !context.views.has(name)) {
      const op = new Operation(node, index, context)
      throw op.unsupported(
        `it reads "${name}", an output that its node is not read with (a mask, or statistics of training)`,
        'export the model in evaluation mode',
      )
    }
}

function unknown(op: Operation): Error {
  const { type } = op
  if (type === '') return new FormatError(`${op.label} names no operator`)
  return op.unsupported(
    FOLDS.has(type) || rulesOf(type)
      ? `the operator ${type} is supported on constants only, and its input depends on the image`
      : `the operator ${type} is not supported`,
    REPLACEMENTS.get(type) ?? `build the network from ${[...OPERATORS.keys()].join(', ')}`,
  )
}
