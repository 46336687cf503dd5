// A writer that several threads share, whose slots are looked at by whoever filled them after they were
// published: what a pool of a decoder's pictures needs.
#include "channel_fixture.hpp"

#include <atomic>
#include <array>
#include <mutex>
#include <thread>

namespace {

using channel_test::all_are;
using channel_test::bytes;
using channel_test::kWatchdogMs;
using channel_test::nv12;
using reel::Frame;
using reel::FrameReader;
using reel::FrameWriter;
using reel::Loan;
using reel::ReadStatus;
using reel::WriteStatus;

class SharedWriter : public channel_test::ChannelTest {
 protected:
  static void fill(Loan& loan, int value) {
    std::fill(loan.data().begin(), loan.data().end(), static_cast<std::byte>(value));
  }
  // Six slots: `old` is of memory that the stream has left since, `early` and five frames fill the new one.
  static void take_every_slot(FrameWriter& writer, Loan& old, Loan& early) {
    ASSERT_EQ(writer.acquire(old, 100), WriteStatus::ok);
    fill(old, 5);
    writer.reserve(8192);
    ASSERT_EQ(writer.acquire(early, 10), WriteStatus::ok);
    for (int i = 0; i < 5; ++i) ASSERT_EQ(writer.write(bytes(10, i), {}, {}, 0), WriteStatus::ok) << i;
  }
};

TEST_F(SharedWriter, DoesNotReuseAKeptSlotThatNoReaderHolds) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 4, .slot_bytes = 4096, .history = 0, .loans = 2});
  Loan kept;
  ASSERT_EQ(writer.acquire(kept, 100), WriteStatus::ok);
  fill(kept, 7);
  const std::byte* const payload = kept.data().data();
  ASSERT_EQ(writer.publish_and_keep(kept, {}), WriteStatus::ok);
  EXPECT_TRUE(kept) << "it is still held";
  EXPECT_TRUE(kept.data().empty()) << "but not to be written";
  for (int i = 0; i < 20; ++i) {
    Loan other;
    ASSERT_EQ(writer.acquire(other, 100, 0), WriteStatus::ok) << writer.error();
    EXPECT_NE(other.data().data(), payload);
    fill(other, 9);
    ASSERT_EQ(writer.publish(std::move(other), {}), WriteStatus::ok);
  }
  EXPECT_EQ(payload[99], std::byte{7});
  kept.cancel();
  bool reused = false;
  for (int i = 0; i < 4; ++i) {
    Loan other;
    ASSERT_EQ(writer.acquire(other, 100, 0), WriteStatus::ok) << writer.error();
    reused = reused || other.data().data() == payload;
    ASSERT_EQ(writer.publish(std::move(other), {}), WriteStatus::ok);
  }
  EXPECT_TRUE(reused);
}

TEST_F(SharedWriter, CountsKeptSlotsAsLoansUntilTheyAreDropped) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 6, .loans = 2});
  Loan kept, other, third;
  ASSERT_EQ(writer.acquire(kept, 10), WriteStatus::ok);
  ASSERT_EQ(writer.publish_and_keep(kept, {}), WriteStatus::ok);
  ASSERT_EQ(writer.acquire(other, 10), WriteStatus::ok);
  EXPECT_EQ(writer.acquire(third, 10), WriteStatus::bad_argument);
  kept.cancel();
  EXPECT_EQ(writer.acquire(third, 10), WriteStatus::ok) << writer.error();
}

TEST_F(SharedWriter, GivesKeptFramesToReadersAsAnyOther) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 8, .loans = 4});
  FrameReader reader(stream(), {.policy = reel::Policy::lossless});
  Loan kept;
  ASSERT_EQ(writer.acquire(kept, 100), WriteStatus::ok);
  fill(kept, 3);
  kept.seal();
  ASSERT_EQ(writer.publish_and_keep(kept, {.pts_ns = 4}), WriteStatus::ok);
  Frame frame;
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_TRUE(frame.verified());
  EXPECT_TRUE(all_are(frame.data(), 3));
  EXPECT_EQ(writer.stats().copied, 0U) << "hashed is not copied";
}

TEST_F(SharedWriter, MakesAsManySlotsMoreAsLoansAreReserved) {
  FrameWriter writer(stream(), nv12(64, 48), {.slots = 4, .history = 1, .loans = 1});
  std::array<Loan, 21> loans;
  ASSERT_EQ(writer.acquire(loans[0]), WriteStatus::ok);
  ASSERT_EQ(writer.acquire(loans[1]), WriteStatus::bad_argument);
  writer.reserve_loans(20);
  EXPECT_EQ(writer.stats().epochs, 2U);
  for (int i = 1; i < 20; ++i)
    ASSERT_EQ(writer.acquire(loans[i], 0, 0), WriteStatus::ok) << i << writer.error();
  EXPECT_EQ(writer.acquire(loans[20]), WriteStatus::bad_argument);
  writer.reserve_loans(3);
  EXPECT_EQ(writer.stats().epochs, 2U) << "fewer than there are already";
}

TEST_F(SharedWriter, KeepsItsSlotsWhenMoreWouldPassTheLimit) {
  FrameWriter writer(stream(), nv12(640, 480), {.slots = 4, .max_bytes = 4 << 20, .loans = 1});
  EXPECT_THROW(writer.reserve_loans(20), reel::Error);
  EXPECT_THROW(writer.reserve_loans(1000), reel::Error);
  Loan loan, other;
  EXPECT_EQ(writer.acquire(loan), WriteStatus::ok);
  EXPECT_EQ(writer.acquire(other), WriteStatus::bad_argument);
  EXPECT_EQ(writer.publish(std::move(loan), {}), WriteStatus::ok) << writer.error();
}

// A thread that waits for a slot does not keep the others from the writer.
TEST_F(SharedWriter, IsFreeForOthersWhileOneWaits) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 8, .history = 0, .loans = 4});
  FrameReader reader(stream(), {.policy = reel::Policy::lossless});
  std::mutex mutex;
  Loan early;
  ASSERT_EQ(writer.acquire(early, 10), WriteStatus::ok);
  for (int i = 0; i < 7; ++i) ASSERT_EQ(writer.write(bytes(10, i), {}, {}, 0), WriteStatus::ok) << i;
  std::atomic<bool> got{false};
  std::thread waiter([&] {
    std::unique_lock lock(mutex);
    Loan loan;
    got = writer.acquire(loan, 10, reel::SharedWait{lock, [] { return false; }}) == WriteStatus::ok;
  });
  ASSERT_TRUE(reel_test::wait_until([&] { return writer.stats().waits == 1; }));
  {
    const std::lock_guard lock(mutex);
    fill(early, 77);
    EXPECT_EQ(writer.publish(std::move(early), {}), WriteStatus::ok);
  }
  EXPECT_FALSE(got);
  Frame frame;
  for (int i = 0; i < 3; ++i) ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  waiter.join();
  EXPECT_TRUE(got) << writer.error();
}

// Its loan is of memory that the stream has left since, so that it needs a slot of the new one.
TEST_F(SharedWriter, IsFreeForOthersWhileOneThatPublishesWaits) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 6, .slot_bytes = 4096, .history = 0, .loans = 3});
  FrameReader reader(stream(), {.policy = reel::Policy::lossless});
  std::mutex mutex;
  Loan early, old;
  take_every_slot(writer, old, early);
  std::atomic<bool> published{false};
  std::thread waiter([&] {
    std::unique_lock lock(mutex);
    published = writer.publish_and_keep(old, {}, reel::SharedWait{lock, {}}) == WriteStatus::ok;
  });
  ASSERT_TRUE(reel_test::wait_until([&] { return writer.stats().waits == 1; }));
  {
    std::unique_lock lock(mutex, std::defer_lock);
    EXPECT_TRUE(reel_test::wait_until([&] { return lock.try_lock(); })) << "it sleeps with the lock";
    if (lock.owns_lock()) early.cancel();
  }
  writer.wake();
  EXPECT_TRUE(reel_test::wait_until([&] { return published.load(); }));
  writer.interrupt();
  waiter.join();
  Frame frame;
  for (int i = 0; i < 6; ++i) ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame) << i;
  EXPECT_TRUE(all_are(frame.data(), 5));
}

// Publishes in a thread of its own, which sleeps when this is made.
class SleepingPublish {
 public:
  SleepingPublish(FrameWriter& writer, Loan& loan, std::mutex& mutex)
      : thread_([&writer, &loan, &mutex, this] {
          std::unique_lock lock(mutex);
          begun_ = true;
          status_ = writer.publish(std::move(loan), {}, reel::SharedWait{lock, {}});
          done_ = true;
        }) {
    EXPECT_TRUE(reel_test::wait_until([&] {
      const std::unique_lock lock(mutex, std::try_to_lock);
      return lock.owns_lock() && begun_;
    })) << "it does not sleep, or with the lock";
    EXPECT_FALSE(done_);
  }
  SleepingPublish(const SleepingPublish&) = delete;
  SleepingPublish& operator=(const SleepingPublish&) = delete;
  ~SleepingPublish() {
    if (thread_.joinable()) thread_.join();
  }
  /// Of a publish that ends by itself, or under the watchdog by being interrupted and woken.
  WriteStatus end(FrameWriter& writer) {
    EXPECT_TRUE(reel_test::wait_until([&] { return done_.load(); }));
    if (!done_) writer.interrupt();
    writer.wake();
    thread_.join();
    return status_;
  }

 private:
  std::atomic<bool> begun_{false};
  std::atomic<bool> done_{false};
  WriteStatus status_ = WriteStatus::ok;
  std::thread thread_;
};

TEST_F(SharedWriter, InterruptsAPublishThatWaitsForItsReaders) {
  FrameWriter writer(stream(), reel::Format(),
                     {.slots = 6, .wait_for = {"eye"}, .start_timeout_ms = 600'000});
  std::mutex mutex;
  Loan loan;
  ASSERT_EQ(writer.acquire(loan, 10), WriteStatus::ok);
  fill(loan, 1);
  SleepingPublish waiter(writer, loan, mutex);
  writer.interrupt();
  EXPECT_EQ(waiter.end(writer), WriteStatus::interrupted);
  ASSERT_TRUE(loan) << "to be published again";
  writer.resume();
  FrameReader reader(stream(), {.name = "eye"});
  std::unique_lock lock(mutex);
  EXPECT_EQ(writer.publish(std::move(loan), {}, reel::SharedWait{lock, {}}), WriteStatus::ok);
  Frame frame;
  EXPECT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
}

TEST_F(SharedWriter, PublishesNothingAfterAnEndThatCameWhileItWaitedForReaders) {
  FrameWriter writer(stream(), reel::Format(),
                     {.slots = 6, .wait_for = {"eye"}, .start_timeout_ms = 600'000});
  std::mutex mutex;
  Loan loan;
  ASSERT_EQ(writer.acquire(loan, 10), WriteStatus::ok);
  fill(loan, 1);
  SleepingPublish waiter(writer, loan, mutex);
  {
    const std::lock_guard lock(mutex);
    writer.end();
  }
  FrameReader reader(stream(), {.name = "eye", .start = reel::Start::oldest});
  EXPECT_EQ(waiter.end(writer), WriteStatus::bad_argument);
  EXPECT_TRUE(loan);
  Frame frame;
  EXPECT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::ended);
  EXPECT_EQ(writer.stats().published, 0U);
}

TEST_F(SharedWriter, PublishesNothingAfterAnEndThatCameWhileItWaitedForASlotOfTheNewMemory) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 6, .slot_bytes = 4096, .history = 0, .loans = 3});
  FrameReader reader(stream(), {.policy = reel::Policy::lossless});
  std::mutex mutex;
  Loan early, old;
  take_every_slot(writer, old, early);
  SleepingPublish waiter(writer, old, mutex);
  {
    const std::lock_guard lock(mutex);
    writer.end();
  }
  Frame frame;
  for (int i = 0; i < 5; ++i) ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame) << i;
  EXPECT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::ended);
  EXPECT_EQ(waiter.end(writer), WriteStatus::bad_argument);
  EXPECT_TRUE(old) << "as after every bad_argument";
}

TEST_F(SharedWriter, TellsAWaitingThreadThatALoanWasDropped) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 6, .history = 0, .loans = 3});
  FrameReader reader(stream(), {.policy = reel::Policy::lossless});
  std::mutex mutex;
  Loan early;
  ASSERT_EQ(writer.acquire(early, 10), WriteStatus::ok);
  for (int i = 0; i < 5; ++i) ASSERT_EQ(writer.write(bytes(10, i), {}, {}, 0), WriteStatus::ok) << i;
  WriteStatus status = WriteStatus::timeout;
  std::thread waiter([&] {
    std::unique_lock lock(mutex);
    Loan loan;
    status = writer.acquire(loan, 10, reel::SharedWait{lock, [] { return false; }});
  });
  ASSERT_TRUE(reel_test::wait_until([&] { return writer.stats().waits == 1; }));
  {
    const std::lock_guard lock(mutex);
    early.cancel();
  }
  writer.wake();
  waiter.join();
  EXPECT_EQ(status, WriteStatus::ok);
}

TEST_F(SharedWriter, StopsAWaitByItsOwnFlagAndNotByTheInterruptOfOthers) {
  FrameWriter writer(stream(), reel::Format(), {.slots = 4, .history = 0, .loans = 2});
  FrameReader reader(stream(), {.policy = reel::Policy::lossless, .max_pins = 1});
  for (int i = 0; i < 4; ++i) ASSERT_EQ(writer.write(bytes(10, i), {}, {}, 0), WriteStatus::ok) << i;
  std::mutex mutex;
  std::atomic<bool> stop{false};
  std::atomic<bool> done{false};
  WriteStatus status = WriteStatus::ok;
  std::thread waiter([&] {
    std::unique_lock lock(mutex);
    Loan loan;
    status = writer.acquire(loan, 10, reel::SharedWait{lock, [&] { return stop.load(); }});
    done = true;
  });
  ASSERT_TRUE(reel_test::wait_until([&] { return writer.stats().waits == 1; }));
  writer.interrupt();
  {
    const std::lock_guard lock(mutex);
    Loan loan;
    EXPECT_EQ(writer.acquire(loan, 10), WriteStatus::interrupted);
  }
  EXPECT_FALSE(done);
  stop = true;
  writer.wake();
  waiter.join();
  EXPECT_EQ(status, WriteStatus::interrupted);
}

TEST_F(SharedWriter, PublishesALoanWithTheFormatThatIsPresentByThen) {
  FrameWriter writer(stream(), nv12(64, 48), {.slots = 8, .loans = 2});
  FrameReader reader(stream(), {.policy = reel::Policy::lossless});
  Loan loan;
  ASSERT_EQ(writer.acquire(loan), WriteStatus::ok);
  fill(loan, 1);
  writer.set_format(nv12(32, 48));
  writer.reformat(loan);
  ASSERT_TRUE(loan.set_layout(loan.layout()));
  ASSERT_EQ(writer.publish(std::move(loan), {}), WriteStatus::ok) << writer.error();
  Frame frame;
  ASSERT_EQ(reader.read(frame, kWatchdogMs), ReadStatus::frame);
  EXPECT_EQ(frame.format(), nv12(32, 48));
  EXPECT_EQ(frame.data().size(), 32U * 48 * 3 / 2);
}

}  // namespace
