import { InvalidArgumentError } from '../../errors/errors.ts'

/** The request of that name. @throws InvalidArgumentError that lists the names there are */
export function namedRequest<Request>(
  kind: string,
  requests: Readonly<Record<string, Request>>,
  name: string,
): Request {
  if (Object.hasOwn(requests, name)) return requests[name]!
  throw new InvalidArgumentError(`${kind}: no set is called '${name}'; there are ${Object.keys(requests).join(', ')}`)
}
