/* A slot's life: acquire, publish, take, release. Two loans may be open and are published in any order or given up; a
 * lossless reader and one that may be lapped (`queue` and `latest` in one: it skips as it likes) hold up to QUOTA frames.
 *
 * Checked: no payload is used while the writer overwrites it, a validated frame is the frame that was asked for, and a
 * lossless reader takes every frame. Which retired slot is tried, and whether a frame is retired although a slot was
 * free, is left open, so every order of step 1 and step 2 is covered. What a look found free is lent at once or
 * remembered and lent at any later time without another look. Waiting is spinning here: see waiting.pml.
 */
#ifndef SLOTS
#define SLOTS 3
#endif
#ifndef FRAMES
#define FRAMES 4
#endif
#ifndef LOANS
#define LOANS 2
#endif
#ifndef QUOTA
#define QUOTA 1
#endif
#define READERS 2
#define LOSSLESS 0 /* the reader with this number is lossless */

#define STATE 0 /* + slot: sequence << 2 | state */
#define RING SLOTS
#define HEAD (2 * SLOTS)
#define PINS (HEAD + 1) /* + reader */
#define CURSOR (PINS + READERS) /* of the lossless reader */
#define WORDS (CURSOR + 1)
#define PROCESSES 3
#define WRITER 2 /* readers are 0 and 1 */

#include "tso.pml"
#include "slot.pml"

bool was_lapped, was_pinned;

#ifdef NO_CURSOR
#define BELOW_CURSOR true
#else
#define BELOW_CURSOR (oldest < LOAD(CURSOR))
#endif

#define KNOWN(i) ((known >> i) & 1)

inline lend_or_remember() {
  if
  :: known = known & ~(1 << k); begin_writing(WRITER); loans++
  :: known = known | (1 << k)
  fi
}

proctype writer() {
  byte k, loans, published, known, oldest = 1;
  bit pinned;

  do
  :: atomic { /* acquire, a slot that an earlier look found free */
       published + loans < FRAMES && loans < LOANS && known != 0 ->
       PICK(KNOWN);
       known = known & ~(1 << k);
       begin_writing(WRITER); loans++;
       k = 0
     }

  :: atomic { /* acquire, step 1 */
       published + loans < FRAMES && loans < LOANS && ANY(REUSABLE) ->
       PICK(REUSABLE);
#ifdef RELAXED_SCAN
       begin_writing(WRITER); loans++;
#endif
       pinned = (LOAD(PINS + 0) >> k) & 1
     };
     atomic {
       pinned = pinned | ((LOAD(PINS + 1) >> k) & 1);
       if
#ifdef RELAXED_SCAN
       :: pinned -> writing[k] = false; loans--; STORE(WRITER, STATE + k, RETIRED)
       :: else
#else
#ifdef REMEMBERS_PINNED
       :: pinned -> known = known | (1 << k)
#else
       :: pinned -> was_pinned = true
#endif
       :: else -> lend_or_remember()
#endif
       fi;
       pinned = 0; k = 0
     }

  :: atomic { /* acquire, step 2 */
       published + loans < FRAMES && loans < LOANS && oldest < MINE(HEAD) && BELOW_CURSOR ->
       k = MINE(RING + oldest % SLOTS);
       oldest++;
#ifndef NO_RETIRED
       STORE(WRITER, STATE + k, RETIRED)
#endif
     };
     atomic {
#ifndef NO_WRITER_FENCE
       FENCE(WRITER) ->
#endif
       pinned = (LOAD(PINS + 0) >> k) & 1
     };
     atomic {
       pinned = pinned | ((LOAD(PINS + 1) >> k) & 1);
       if
       :: pinned -> was_pinned = true;
#ifdef NO_RETIRED
          STORE(WRITER, STATE + k, RETIRED)
#endif
       :: else -> lend_or_remember()
       fi;
       pinned = 0; k = 0
     }

  :: atomic { /* publish, or give up, any loan */
       loans > 0 ->
       PICK(LOANED);
       writing[k] = false; loans--;
       if
       :: published++;
          payload[k] = MINE(HEAD);
#ifdef RELAXED_PUBLISH
          STORE(WRITER, HEAD, published + 1);
#endif
          STORE(WRITER, STATE + k, published << 2 | READY);
          STORE(WRITER, RING + published % SLOTS, k);
#ifndef RELAXED_PUBLISH
          STORE(WRITER, HEAD, published + 1)
#endif
       :: STORE(WRITER, STATE + k, FREE)
       fi;
       k = 0
     }

  :: published == FRAMES -> break
  od
}

proctype reader(byte r) {
  byte s = 1, k, held, count;

  do
  :: atomic { /* take */
       count < QUOTA && s <= FRAMES && LOAD(HEAD) > s ->
       if
       :: true
       :: r != LOSSLESS && LOAD(HEAD) - 1 > s -> s = LOAD(HEAD) - 1
       fi
     };
     atomic {
       k = LOAD(RING + s % SLOTS);
#ifdef CURSOR_FIRST
       if
       :: r == LOSSLESS -> STORE(r, CURSOR, s + 1)
       :: else
       fi;
#endif
       STORE(r, PINS + r, held | (1 << k))
     };
     atomic {
#ifndef NO_READER_FENCE
       FENCE(r) ->
#endif
       if
#ifdef NO_SEQUENCE_CHECK
       :: (LOAD(STATE + k) & 3) == READY ->
#else
       :: LOAD(STATE + k) == (s << 2 | READY) ->
#endif
          begin_use();
          count++;
          held = held | (1 << k);
          if
          :: r == LOSSLESS -> STORE(r, CURSOR, s + 1)
          :: else
          fi
       :: else ->
          assert(r != LOSSLESS);
          was_lapped = true;
          STORE(r, PINS + r, held)
       fi;
       s++; k = 0
     }

  :: atomic { /* release any frame held; its last use is here */
       count > 0 ->
       PICK(HELD);
       count--;
       held = held & ~(1 << k);
#ifndef RELAXED_CLEAR
       users[k]--;
#endif
       STORE(r, PINS + r, held)
     };
#ifdef RELAXED_CLEAR
     users[k]--;
#endif
     k = 0

  :: atomic {
       count == 0 && s > FRAMES ->
#ifdef WITNESS
       assert(!(r == LOSSLESS && was_lapped && was_pinned));
#endif
       break
     }
  od
}

init {
  atomic {
    mem[HEAD] = 1; own[HEAD] = 1;
    mem[CURSOR] = 1; own[CURSOR] = 1;
    run reader(0); run reader(1); run writer()
  }
}
