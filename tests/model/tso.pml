/* Total store order, as on x86. Included by every model, which defines WORDS (shared words) and PROCESSES (2 to 4).
 *
 * A process has a FIFO of its own stores; `memory` moves the oldest of any FIFO to the shared words whenever it likes.
 * A fence waits until the own FIFO is empty. A load takes the newest own store, else memory: as every word has one
 * writer (invariant 8), `own` holds what the writer of a word would find by looking through its FIFO, so the writer
 * loads with MINE and everybody else with LOAD. A full FIFO makes its process wait: DEPTH bounds how late a store lands.
 *
 * An atomic block in a model holds at most one load of another's word, at its start or just after a fence at its start;
 * local work and stores may follow it, as nobody can tell when a store enters a FIFO, only when it leaves it.
 */
#ifndef DEPTH
#define DEPTH 6
#endif

byte mem[WORDS];
byte own[WORDS];
chan buffer[PROCESSES] = [DEPTH] of { byte, byte };

#define LOAD(a) mem[a]
#define MINE(a) own[a]
#define STORE(p, a, v) buffer[p]!a, (v); own[a] = (v)
#define FENCE(p) empty(buffer[p])

active proctype memory() {
  byte a, v;
end:
  do
  :: d_step { buffer[0]?a, v; mem[a] = v; a = 0; v = 0 }
  :: d_step { buffer[1]?a, v; mem[a] = v; a = 0; v = 0 }
#if PROCESSES > 2
  :: d_step { buffer[2]?a, v; mem[a] = v; a = 0; v = 0 }
#endif
#if PROCESSES > 3
  :: d_step { buffer[3]?a, v; mem[a] = v; a = 0; v = 0 }
#endif
  od
}
