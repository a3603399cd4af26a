/** A spiking LeNet-5 on encrypted digits or recordings of events. Real keys, 128-bit security; the server's half never sees the secret key. */
import { main } from './main.ts'

await main(process.argv.slice(2))
