/* A slot's life: acquire, publish, take, release. Two loans may be open and are published in any order or given up; a
 * lossless reader and one that may be lapped (`queue` and `latest` in one: it skips as it likes) hold up to QUOTA frames.
 *
 * Checked: no payload is used while the writer overwrites it, a validated frame is the frame that was asked for, and a
 * lossless reader takes every frame. Which retired slot is tried, and whether a frame is retired although a slot was
 * free, is left open, so every order of step 1 and step 2 is covered. What a look found free is lent at once or
 * remembered and lent at any later time without another look. Waiting is spinning here: see waiting.pml.
 *
 * HOT: both readers are lossless, and step 0 runs too: by one look at the pins, then the cursors, any number of frames
 * that are done with is taken back at once; another look, at all slots, says which may be lent.
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
#ifdef HOT
#define LOSSLESS(r) true
#define CURSORS READERS
#else
#define LOSSLESS(r) (r == 0)
#define CURSORS 1
#endif

#define STATE 0 /* + slot: sequence << 2 | state */
#define RING SLOTS
#define HEAD (2 * SLOTS)
#define PINS (HEAD + 1) /* + reader */
#define CURSOR (PINS + READERS) /* + lossless reader */
#define WORDS (CURSOR + CURSORS)
#define PROCESSES 3
#define WRITER 2 /* readers are 0 and 1 */

#include "tso.pml"
#include "slot.pml"

bool was_lapped, was_pinned;

/* Cursors only grow: looked at when a frame is taken back, they are no lower than a look before that showed them. */
#ifdef NO_CURSOR
#define BELOW_CURSOR true
#elif defined(HOT)
#define BELOW_CURSOR (oldest < LOAD(CURSOR) && oldest < LOAD(CURSOR + 1))
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

#ifdef HOT
/* What may be lent by a look that showed the pins `held`. */
inline know_free() {
  known = 0; k = 0;
  do
  :: k < SLOTS ->
     if
     :: REUSABLE(k) && !HELD(k) -> known = known | (1 << k)
     :: else
     fi;
     k++
  :: else -> break
  od;
  k = 0; held = 0; retired = 0
}
#endif

proctype writer() {
  byte k, loans, published, known, oldest = 1;
  bit pinned;
#ifdef HOT
  byte held, retired;
#endif

  do
#ifdef HOT
  :: atomic { /* acquire, step 0 */
       published + loans < FRAMES && loans < LOANS && oldest < MINE(HEAD) ->
       held = LOAD(PINS + 0)
     };
     atomic { held = held | LOAD(PINS + 1) };
     atomic {
       do
       :: oldest < MINE(HEAD) && BELOW_CURSOR && !HELD(MINE(RING + oldest % SLOTS)) ->
          k = MINE(RING + oldest % SLOTS);
          oldest++;
          retired = retired | (1 << k);
          STORE(WRITER, STATE + k, RETIRED)
       :: break /* by an older look at a cursor, or for the history */
       od;
       k = 0;
#ifdef ONE_LOOK
       know_free()
#endif
     };
#ifndef ONE_LOOK
     atomic {
       FENCE(WRITER) ->
       held = LOAD(PINS + 0)
     };
     atomic {
       held = held | LOAD(PINS + 1);
#ifdef WITNESS
       assert((held & retired) == 0); /* taken between the look at the pins and the one at the cursors */
#endif
       know_free()
     }
#endif
#endif

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
       :: !LOSSLESS(r) && LOAD(HEAD) - 1 > s -> s = LOAD(HEAD) - 1
       fi
     };
     atomic {
       k = LOAD(RING + s % SLOTS);
#ifdef CURSOR_FIRST
       if
       :: LOSSLESS(r) -> STORE(r, CURSOR + r, s + 1)
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
          :: LOSSLESS(r) -> STORE(r, CURSOR + r, s + 1)
          :: else
          fi
       :: else ->
          assert(!LOSSLESS(r));
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
       assert(!(LOSSLESS(r) && was_lapped && was_pinned));
#endif
       break
     }
  od
}

init {
  atomic {
    mem[HEAD] = 1; own[HEAD] = 1;
    mem[CURSOR] = 1; own[CURSOR] = 1;
#ifdef HOT
    mem[CURSOR + 1] = 1; own[CURSOR + 1] = 1;
#endif
    run reader(0); run reader(1); run writer()
  }
}
