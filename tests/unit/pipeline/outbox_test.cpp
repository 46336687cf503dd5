#include "outbox.hpp"

#include <future>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>
#include <reel_test/wait_until.hpp>

namespace reel {
namespace {

// What was called, in order: "d3" for three that were dropped. Read it after flush().
struct Told {
  std::string text;
  Outbox box{[this](std::uint64_t dropped) { text += "d" + std::to_string(dropped); }};

  void put(char what, std::size_t bytes = 1) {
    box.put(bytes, [this, what] { text += what; });
  }
};

// A call that keeps the outbox busy until it is let go.
class Plug {
 public:
  Plug(Outbox& box, std::size_t bytes) {
    box.put(bytes, [this] {
      here_.set_value();
      gate_.get_future().wait();
    });
  }
  void wait() { here_.get_future().wait(); }
  void pull() { gate_.set_value(); }

 private:
  std::promise<void> here_, gate_;
};

TEST(Outbox, MakesCallsInTheirOrder) {
  Told told;
  for (char what = 'a'; what <= 'z'; ++what) told.put(what);
  told.box.flush();
  EXPECT_EQ(told.text, "abcdefghijklmnopqrstuvwxyz");
}

TEST(Outbox, DropsWhatFindsNoRoomAndTellsHowMany) {
  Told told;
  Plug plug(told.box, 0);
  plug.wait();
  told.put('a', Outbox::kMostBytes);
  told.put('b');
  told.put('c');
  told.box.put_always([&] { told.text += '!'; });
  plug.pull();
  told.box.flush();
  EXPECT_EQ(told.text, "ad2!");
  told.put('d', Outbox::kMostBytes);
  told.box.flush();
  EXPECT_EQ(told.text, "ad2!d");
}

TEST(Outbox, TakesMoreOnlyOnceMuchOfItIsFree) {
  Told told;
  Plug first(told.box, Outbox::kMostBytes - Outbox::kEnoughBytes), second(told.box, Outbox::kEnoughBytes);
  told.put('a');
  first.pull();
  second.wait();
  told.put('b');  // there is room, but not enough of it yet
  Plug third(told.box, 0);
  EXPECT_EQ(told.text, "");
  second.pull();
  third.wait();
  told.put('c');
  third.pull();
  told.box.flush();
  EXPECT_EQ(told.text, "d2c");
}

TEST(Outbox, WantsNoMoreWhileMuchIsTaken) {
  Outbox box([](std::uint64_t) {}, 3'600'000'000'000);
  EXPECT_TRUE(box.wants_more());
  Plug plug(box, Outbox::kEnoughBytes + 1);
  EXPECT_FALSE(box.wants_more());
  plug.pull();
  box.flush();
  EXPECT_TRUE(box.wants_more());
}

TEST(Outbox, WantsMoreWhenNobodyTakesAnything) {
  Told told;
  Plug plug(told.box, Outbox::kEnoughBytes + 1);
  EXPECT_TRUE(reel_test::wait_until([&] { return told.box.wants_more(); }));
  plug.pull();
}

TEST(Outbox, TellsOfTheDroppedAtItsEndToo) {
  std::string text;
  {
    Outbox box([&](std::uint64_t dropped) { text += "d" + std::to_string(dropped); });
    box.put(Outbox::kMostBytes + 1, [&] { text += 'a'; });
  }
  EXPECT_EQ(text, "d1");
}

TEST(Outbox, GoesOnAfterACallThatThrew) {
  Told told;
  told.box.put(1, [] { throw std::runtime_error("a closed pipe"); });
  told.put('a');
  told.box.flush();
  EXPECT_EQ(told.text, "a");
}

}  // namespace
}  // namespace reel
