/* A reader joins while the data thread may be retiring, without a lock on the path of a frame: `retiring` and a floor.
 *
 * Data thread: retiring = 1; fence; load scan set, floors, pins, cursors; perhaps retire and fence; retiring = 0. Service
 * thread: insert the reader with floor 0, which protects everything; fence; wait until retiring is 0; read `oldest` or
 * head, grant it as the floor; fence; wake a waiting writer; send the descriptors. Only then does the reader run.
 *
 * A section may go by the floor that an earlier one saw, as long as nobody was admitted since: cursors only grow.
 *
 * Checked: the first frame of a lossless joiner exists, and every later one; a joiner's pin is always seen; a writer that
 * waits because of the joiner is woken (an invalid end state otherwise). The joiner is lossless or may be lapped.
 */
#ifndef FRAMES
#define FRAMES 5
#endif
#define SLOTS 2

#define STATE 0
#define RING SLOTS
#define HEAD (2 * SLOTS)
#define OLDEST (HEAD + 1)
#define RETIRING (HEAD + 2)
#define WAITING (HEAD + 3)
#define MEMBER (HEAD + 4) /* the joiner is in the scan set */
#define FLOOR (HEAD + 5) /* service thread's: smallest sequence it protects */
#define PINS (HEAD + 6) /* joiner's page */
#define CURSOR (HEAD + 7) /* joiner's page */
#define WORDS (HEAD + 8)
#define PROCESSES 3
#define DATA 0
#define SERVICE 1
#define JOINER 2

#define NOTHING 99 /* a floor that protects nothing */

#include "tso.pml"
#include "slot.pml"

chan wakes = [1] of { bit };
chan descriptors = [1] of { byte };
bool lossless;
bool slept, held_up;

#define CLEAN(i) (REUSABLE(i) && !((pins >> i) & 1))

inline wake_writer() {
  if
  :: LOAD(WAITING) && nfull(wakes) -> wakes!1
  :: LOAD(WAITING) && full(wakes)
  :: !LOAD(WAITING)
  fi
}

/* One section with retiring = 1. The floor is the larger of the granted one and the cursor, 0 above both. What is
 * remembered is the floor seen last; a section behind which the writer sleeps looks again. */
#ifdef STALE_FLOOR
#define SAME_SET true
#else
#define SAME_SET (seen_member == member)
#endif

inline acquire(may_remember) {
  atomic { STORE(DATA, RETIRING, 1) };
  atomic {
#ifndef NO_RETIRING_FENCE
    FENCE(DATA) ->
#endif
    member = LOAD(MEMBER);
    floor = NOTHING
  };
  if
  :: member && may_remember && SAME_SET -> floor = seen_floor
  :: member ->
     atomic { floor = LOAD(FLOOR) };
     if
     :: floor != 0 && floor != NOTHING ->
        atomic { floor = (LOAD(CURSOR) > floor -> LOAD(CURSOR) : floor) }
     :: else
     fi;
     atomic { seen_member = 1; seen_floor = floor }
  :: !member
  fi;
  do
  :: atomic {
       pins = (member -> LOAD(PINS) : 0);
       if
       :: ANY(CLEAN) -> PICK(CLEAN); got = true; pins = 0; begin_writing(DATA); break
       :: !ANY(CLEAN) && oldest <= published && oldest < floor ->
          pins = 0;
          k = MINE(RING + oldest % SLOTS);
          oldest++;
#ifndef OLDEST_AFTER_SECTION
          STORE(DATA, OLDEST, oldest);
#endif
          STORE(DATA, STATE + k, RETIRED);
          k = 0
       :: else -> pins = 0; break
       fi
     };
#ifndef NO_WRITER_FENCE
     FENCE(DATA)
#endif
  od;
  atomic {
    member = 0; floor = 0;
#ifdef HOLD_WHILE_WAITING
    if
    :: got -> STORE(DATA, RETIRING, 0)
    :: else
    fi
#else
    STORE(DATA, RETIRING, 0)
#endif
#ifdef OLDEST_AFTER_SECTION
    ; STORE(DATA, OLDEST, oldest)
#endif
  }
}

proctype data() {
  byte k, pins, published, floor, oldest = 1;
  byte seen_floor = NOTHING;
  bit member, seen_member;
  bool got;

  do
  :: published < FRAMES ->
     acquire(true);
     if
     :: got
     :: !got ->
        atomic { STORE(DATA, WAITING, 1) };
        acquire(false); /* its own fence orders the look after the store of WAITING */
        if
        :: got
        :: !got -> atomic { wakes?_; slept = true }
        fi;
        atomic { STORE(DATA, WAITING, 0) }
     fi;
     atomic {
       if
       :: got ->
          published++;
          writing[k] = false;
          payload[k] = published;
          STORE(DATA, STATE + k, published << 2 | READY);
          STORE(DATA, RING + published % SLOTS, k);
          STORE(DATA, HEAD, published + 1)
       :: else
       fi;
       k = 0; got = false
     }
  :: published == FRAMES -> break
  od
}

proctype service() {
  byte start;

#ifndef MAY_LAP
  if
  :: lossless = true
  :: lossless = false
  fi;
#endif
#ifdef SEND_FIRST
  if
  :: start = LOAD(OLDEST)
  :: start = LOAD(HEAD)
  fi;
  descriptors!start;
#endif
#ifdef NO_FLOOR
  atomic { STORE(SERVICE, FLOOR, NOTHING); STORE(SERVICE, MEMBER, 1) };
#else
  atomic { STORE(SERVICE, MEMBER, 1) };
#endif
#ifndef NO_ADMISSION_FENCE
  FENCE(SERVICE);
#endif
#ifndef NO_ADMISSION_WAIT
  if
  :: atomic { LOAD(RETIRING) == 1 -> held_up = true }; LOAD(RETIRING) == 0
  :: LOAD(RETIRING) == 0
  fi;
#endif
#ifndef SEND_FIRST
  if
  :: start = LOAD(OLDEST)
  :: start = LOAD(HEAD)
  fi;
#endif
  atomic { STORE(SERVICE, FLOOR, (lossless -> start : NOTHING)) };
#ifndef NO_GRANT_WAKE
  atomic {
#ifndef NO_GRANT_FENCE
    FENCE(SERVICE) ->
#endif
    wake_writer()
  };
#endif
#ifndef SEND_FIRST
  descriptors!start
#endif
}

proctype joiner() {
  byte s, k;
  bool valid;

  descriptors?s;
  do
  :: s <= FRAMES ->
     LOAD(HEAD) > s;
     atomic { k = LOAD(RING + s % SLOTS); STORE(JOINER, PINS, 1 << k) };
     atomic {
       FENCE(JOINER) ->
       valid = (LOAD(STATE + k) == (s << 2 | READY));
       assert(valid || !lossless);
       if
       :: valid -> begin_use()
       :: else
       fi;
       s++;
       STORE(JOINER, CURSOR, s)
     };
     atomic {
       if
       :: valid -> users[k]--
       :: else
       fi;
       STORE(JOINER, PINS, 0);
       k = 0; valid = false
     };
     if
     :: lossless -> atomic { FENCE(JOINER) -> wake_writer() }
     :: else
     fi
  :: s > FRAMES -> break
  od;
#ifdef WITNESS
  assert(!(lossless && slept && held_up));
#endif
}

init {
  atomic {
    mem[HEAD] = 1; own[HEAD] = 1;
    mem[OLDEST] = 1; own[OLDEST] = 1;
    run joiner(); run service(); run data()
  }
}
