/** An encrypted ResNet-20 on many photographs at once. Real keys, 128-bit security; the server's half never sees the secret key. */
import { main } from './main.ts'

await main(process.argv.slice(2))
