/**
 * The client's side: the owner of the secret key, and its link to a server.
 *
 * @module client
 */
export { type ClientParts, ClientSession } from './client-session.ts'
export { InferenceClient, type MakeClientEngine, openClient } from './inference-client.ts'
export type { PublicationSummary, PublicationWish } from './publication.ts'
export { connectServer, type LinkOptions, type RemoteProgress, ServerLink } from './server-link.ts'
