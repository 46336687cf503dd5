/* A writer that is not live sleeps when no slot is to be had, and is always woken: writer_waiting, looks and bytes.
 *
 * Acquire as it must be: load every reader's bitmap ONCE, take any reusable slot that none of them pins, else, if any
 * frame that may be retired is unpinned, retire the oldest, fence, and load them all AGAIN; if all of them are pinned,
 * retire or don't. A look shows at most the
 * quotas' sum of pins, so slots = loans + pins is enough. Looking slot by slot instead (-DSLOT_BY_SLOT) lets a reader
 * that keeps within its quota hop from each slot to the next just ahead of the look, so that all seem pinned.
 *
 * With two words to a bitmap (-DTWO_WORDS) a hop between the loads shows more pins than there ever were: such a look is
 * done again, and only LOOKS of them in a row make a reader hostile.
 *
 * Readers: 0 is lossless and 1 may be lapped and sends no bytes; -DBOTH_LOSSLESS and -DBOTH_MAY_LAP say otherwise.
 * Checked: no run stops with the writer asleep; a lossless reader gets every frame; no reader ever shows more pins than
 * its quota; without a lossless reader the writer never waits.
 */
#ifndef SLOTS
#define SLOTS 3 /* one loan, two readers that pin one slot each */
#endif
#ifndef FRAMES
#define FRAMES 4
#endif
#ifndef QUOTA
#define QUOTA 1
#endif
#ifndef LOOKS
#define LOOKS 3
#endif
#ifdef BOTH_LOSSLESS
#define LOSSLESS(r) true
#elif defined(BOTH_MAY_LAP)
#define LOSSLESS(r) false
#else
#define LOSSLESS(r) (r == 0)
#endif
#ifdef ALL_SEND_BYTES
#define SENDS(r) true
#else
#define SENDS(r) LOSSLESS(r)
#endif

#define STATE 0
#define RING SLOTS
#define HEAD (2 * SLOTS)
#define WAITING (HEAD + 1)
#define CURSOR (HEAD + 2) /* + reader */
#ifdef TWO_WORDS /* a bitmap of two words, slot 0 in the first and the others in the second */
#define PINS(r, k) (HEAD + 4 + 2 * r + (k > 0))
#define WORDS (HEAD + 8)
#else
#define PINS(r, k) (HEAD + 4 + r)
#define WORDS (HEAD + 6)
#endif
#define PROCESSES 3
#define WRITER 2

#include "tso.pml"
#include "slot.pml"

chan socket = [1] of { bit };
bool slept;

#define CLEAN(i) (REUSABLE(i) && !((pins >> i) & 1))
#define BELOW(s) (s <= published && (!LOSSLESS(0) || s < floor) && (!LOSSLESS(1) || s < LOAD(CURSOR + 1)))
#define UNPINNED(s) (BELOW(s) && !((pins >> MINE(RING + (s) % SLOTS)) & 1))
#ifdef ONLY_THE_OLDEST
#define WORTHWHILE UNPINNED(oldest)
#define MAYBE && WORTHWHILE
#else
#define WORTHWHILE (UNPINNED(oldest) || UNPINNED((oldest + 1)) || UNPINNED((oldest + 2)) || UNPINNED((oldest + 3)))
#define MAYBE /* frames that are all pinned need not be retired, and may be: the writer does not always look before */
#endif
#define RETIRABLE (oldest <= published && (!LOSSLESS(0) || oldest < floor) && (!LOSSLESS(1) || oldest < LOAD(CURSOR + 1)))

inline retire_oldest() {
  k = MINE(RING + oldest % SLOTS);
  oldest++;
  STORE(WRITER, STATE + k, RETIRED)
}

#ifdef TWO_WORDS
inline load_pins() {
  do
  :: pins = LOAD(PINS(0, 0));
     atomic {
       k = LOAD(PINS(0, 1));
       if
       :: pins && k ->
          looks++; k = 0;
          assert(looks < LOOKS) /* else a reader within its quota is taken for a hostile one */
       :: else -> pins = pins | k; looks = 0; k = 0; break
       fi
     }
  od;
  pins = pins | LOAD(PINS(1, 0));
  pins = pins | LOAD(PINS(1, 1))
}
#else
inline load_pins() {
  pins = LOAD(PINS(0, 0));
  pins = pins | LOAD(PINS(1, 0))
}
#endif

#ifndef SLOT_BY_SLOT
inline acquire() {
  do
  :: load_pins();
     if
     :: atomic { ANY(CLEAN) -> PICK(CLEAN); pins = 0; got = true; begin_writing(WRITER); break }
     :: atomic { !ANY(CLEAN) -> floor = LOAD(CURSOR + 0) };
        atomic {
          if
          :: RETIRABLE MAYBE -> pins = 0; retire_oldest(); k = 0
          :: !WORTHWHILE -> pins = 0; break
          fi
        };
        FENCE(WRITER)
     fi
  od;
  floor = 0
}
#else
inline look_at_slot() {
  pins = LOAD(PINS(0, 0));
  atomic {
    pins = pins | LOAD(PINS(1, 0));
    if
    :: CLEAN(k) -> got = true; begin_writing(WRITER)
    :: else
    fi;
    pins = 0
  }
}

inline acquire() {
  tried = 0;
  do /* step 1 */
  :: atomic { tried < SLOTS && !got && !REUSABLE(tried) -> tried++ }
  :: atomic { tried < SLOTS && !got && REUSABLE(tried) -> k = tried; tried++ };
     look_at_slot()
  :: atomic { tried == SLOTS || got -> tried = 0; break }
  od;
  do /* step 2 */
  :: got -> break
  :: atomic { !got -> floor = LOAD(CURSOR + 0) };
     atomic {
       if
       :: RETIRABLE -> retire_oldest()
       :: else -> break
       fi
     };
     FENCE(WRITER);
     look_at_slot()
  od;
  floor = 0
}
#endif

proctype writer() {
  byte k, pins, published, oldest = 1, floor, tried, looks;
  bool got;

  do
  :: published < FRAMES ->
     acquire();
     assert(got || LOSSLESS(0));
#ifndef NO_SECOND_ATTEMPT
     if
     :: got
     :: !got ->
        atomic { STORE(WRITER, WAITING, 1) };
#ifndef NO_WAITING_FENCE
        FENCE(WRITER);
#endif
        acquire();
        if
        :: got
        :: !got -> atomic { socket?_; slept = true }
        fi;
        atomic { STORE(WRITER, WAITING, 0) }
     fi;
#else
     if
     :: got
     :: !got ->
        atomic { STORE(WRITER, WAITING, 1) };
        FENCE(WRITER);
        atomic { socket?_; slept = true };
        atomic { STORE(WRITER, WAITING, 0) }
     fi;
#endif
     atomic {
       if
       :: got ->
          published++;
          writing[k] = false;
          payload[k] = published;
          STORE(WRITER, STATE + k, published << 2 | READY);
          STORE(WRITER, RING + published % SLOTS, k);
          STORE(WRITER, HEAD, published + 1)
       :: else
       fi;
       k = 0; got = false
     }
  :: published == FRAMES -> break
  od;
#ifdef WITNESS
  assert(!slept)
#endif
}

/* After a pin was cleared. A cursor that moves needs no look of its own: the frames that it lets go are older, but for
   the one that the reader pins until the clear. */
inline look_for_waiter() {
  atomic {
#ifndef NO_ADVANCE_FENCE
    FENCE(r) ->
#endif
    if
    :: LOAD(WAITING) && nfull(socket) -> socket!1
    :: LOAD(WAITING) && full(socket)
    :: !LOAD(WAITING)
    fi
  }
}

proctype reader(byte r) {
  byte s = 1, k, held, count;
  bool valid;

  do
  :: atomic { /* take */
       count < QUOTA && s <= FRAMES && LOAD(HEAD) > s ->
       if
       :: true
       :: !LOSSLESS(r) && LOAD(HEAD) - 1 > s -> s = LOAD(HEAD) - 1
       fi
     };
     atomic { k = LOAD(RING + s % SLOTS); STORE(r, PINS(r, k), held | (1 << k)) };
     atomic {
       FENCE(r) ->
       valid = (LOAD(STATE + k) == (s << 2 | READY));
       assert(valid || !LOSSLESS(r));
       if
       :: valid -> begin_use(); count++; held = held | (1 << k)
       :: else -> STORE(r, PINS(r, k), held)
       fi;
       s++; k = 0;
       if
       :: LOSSLESS(r) -> STORE(r, CURSOR + r, s)
       :: else
       fi
     };
     if
#ifdef LOOK_AT_CURSOR
     :: SENDS(r) && valid -> look_for_waiter()
#endif
     :: SENDS(r) && !valid -> look_for_waiter() /* this pin, too, may have been in the way */
     :: else
     fi;
     valid = false

  :: atomic { /* release */
       count > 0 ->
       PICK(HELD);
       count--; users[k]--;
       held = held & ~(1 << k);
       STORE(r, PINS(r, k), held);
       k = 0
     };
#ifndef NO_LOOK_AT_CLEAR
     if
     :: SENDS(r) -> look_for_waiter()
     :: else
     fi
#endif

  :: count == 0 && s > FRAMES -> break
  od
}

init {
  atomic {
    mem[HEAD] = 1; own[HEAD] = 1;
    mem[CURSOR] = 1; own[CURSOR] = 1;
    mem[CURSOR + 1] = 1; own[CURSOR + 1] = 1;
    run reader(0); run reader(1); run writer()
  }
}
