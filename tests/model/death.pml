/* A lossless reader is killed at any step, or leaves; another lossless reader and the writer go on.
 *
 * Service thread, after the hang-up: take the reader out of the scan set; fence; wait until the data thread is out of its
 * section (`section`, admission's `retiring`, around EVERY access to a page: looks at pins, cursors and tickets); unmap
 * the page; wake a waiting writer.
 *
 * Checked: the writer never touches an unmapped page, is never stuck behind the dead, writes to no slot that a living
 * reader uses, and the survivor gets every frame.
 */
#ifndef FRAMES
#define FRAMES 3
#endif
#define SLOTS 2

#define STATE 0
#define RING SLOTS
#define HEAD (2 * SLOTS)
#define SECTION (HEAD + 1)
#define WAITING (HEAD + 2)
#define GONE (HEAD + 3) /* the mortal left the scan set */
#define PINS (HEAD + 4) /* + reader */
#define CURSOR (HEAD + 6) /* + reader */
#define WORDS (HEAD + 8)
#define PROCESSES 4
#define MORTAL 0
#define SURVIVOR 1
#define DATA 2
#define SERVICE 3

#include "tso.pml"
#include "slot.pml"

chan wakes = [1] of { bit };
bool kill, hung_up, unmapped, slept, died_pinning;
byte mortal_uses; /* the slot, plus one */

#define CLEAN(i) (REUSABLE(i) && !((pins >> i) & 1))

inline wake_writer() {
  if
  :: LOAD(WAITING) && nfull(wakes) -> wakes!1
  :: LOAD(WAITING) && full(wakes)
  :: !LOAD(WAITING)
  fi
}

inline enter_section() {
  atomic { STORE(DATA, SECTION, 1) };
  atomic {
#ifndef NO_SECTION_FENCE
    FENCE(DATA) ->
#endif
    gone = LOAD(GONE)
  }
}

inline leave_section() {
  gone = 0; floor = 0;
  STORE(DATA, SECTION, 0)
}

inline touch_page() {
  assert(!unmapped)
}

inline look_at_mortal() {
  atomic {
    if
    :: !gone -> touch_page(); pins = LOAD(PINS + MORTAL)
    :: gone
    fi
  }
}

inline look_and_take() {
  look_at_mortal();
  atomic {
    pins = pins | LOAD(PINS + SURVIVOR);
    if
    :: ANY(CLEAN) -> PICK(CLEAN); got = true; begin_writing(DATA)
    :: else
    fi;
    pins = 0
  }
}

inline acquire() {
#ifdef LOOK_OUTSIDE_SECTION
  gone = LOAD(GONE);
  look_and_take();
#endif
  enter_section();
  do
  :: got -> break
  :: !got ->
     look_and_take();
     if
     :: got
     :: !got ->
        atomic {
          if
          :: !gone -> touch_page(); floor = LOAD(CURSOR + MORTAL)
          :: gone -> floor = FRAMES + 1
          fi
        };
        atomic {
          if
          :: oldest <= published && oldest < floor && oldest < LOAD(CURSOR + SURVIVOR) ->
             k = MINE(RING + oldest % SLOTS);
             oldest++;
             STORE(DATA, STATE + k, RETIRED);
             k = 0
          :: else -> break
          fi
        };
        FENCE(DATA)
     fi
  od;
  atomic { leave_section() }
}

/* Publish, and look at the mortal's ticket: one fence serves both. */
inline publish() {
  atomic {
    published++;
    writing[k] = false;
    payload[k] = published;
    STORE(DATA, STATE + k, published << 2 | READY);
    STORE(DATA, RING + published % SLOTS, k);
    STORE(DATA, HEAD, published + 1);
    k = 0; got = false
  };
#ifdef TICKET_OUTSIDE_SECTION
  atomic { FENCE(DATA) -> gone = LOAD(GONE) };
#else
  enter_section();
#endif
  atomic {
    if
    :: !gone -> touch_page()
    :: gone
    fi;
    leave_section()
  }
}

proctype data() {
  byte k, pins, published, floor, oldest = 1;
  bit gone;
  bool got;

  do
  :: published < FRAMES ->
     acquire();
     if
     :: got -> publish()
     :: !got ->
        atomic { STORE(DATA, WAITING, 1) };
        acquire();
        if
        :: got
        :: !got -> atomic { wakes?_; slept = true }
        fi;
        atomic { STORE(DATA, WAITING, 0) };
        if
        :: got -> publish()
        :: !got
        fi
     fi
  :: published == FRAMES -> break
  od
}

proctype service() {
#ifndef REMOVE_THE_LIVING
  hung_up;
#endif
#ifndef NO_REMOVAL
  atomic { STORE(SERVICE, GONE, 1) };
#ifndef NO_REMOVAL_FENCE
  FENCE(SERVICE);
#endif
#ifndef NO_SECTION_WAIT
  LOAD(SECTION) == 0;
#endif
#ifndef REMOVE_THE_LIVING
  unmapped = true;
#endif
#endif
#ifndef NO_DEATH_WAKE
  atomic { wake_writer() }
#endif
}

inline take_frames(r) {
  do
  :: s <= FRAMES ->
     LOAD(HEAD) > s;
     atomic { k = LOAD(RING + s % SLOTS); STORE(r, PINS + r, 1 << k) };
     atomic {
       FENCE(r) ->
       assert(LOAD(STATE + k) == (s << 2 | READY));
       begin_use();
       mortal_uses = (r == MORTAL -> k + 1 : mortal_uses);
       s++;
       STORE(r, CURSOR + r, s)
     };
     atomic {
       users[k]--;
       mortal_uses = (r == MORTAL -> 0 : mortal_uses);
       STORE(r, PINS + r, 0);
       k = 0
     };
     atomic { FENCE(r) -> wake_writer() }
  :: s > FRAMES -> break
  od
}

proctype mortal() {
  byte s = 1, k;

  {
    take_frames(MORTAL)
  } unless {
    atomic {
      kill ->
      if
      :: mortal_uses -> users[mortal_uses - 1]--; mortal_uses = 0; died_pinning = true
      :: else
      fi;
      s = 0; k = 0
    }
  };
  hung_up = true
}

proctype survivor() {
  byte s = 1, k;

  take_frames(SURVIVOR);
#ifdef WITNESS
  assert(!(died_pinning && slept && unmapped))
#endif
}

proctype killer() {
  if
  :: kill = true
  :: true
  fi
}

init {
  atomic {
    mem[HEAD] = 1; own[HEAD] = 1;
    mem[CURSOR] = 1; own[CURSOR] = 1;
    mem[CURSOR + 1] = 1; own[CURSOR + 1] = 1;
    run mortal(); run survivor(); run data(); run service(); run killer()
  }
}
