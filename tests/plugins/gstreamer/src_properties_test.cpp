// What gst-inspect-1.0 says of reelsrc, and when its properties can be set.
#include "player.hpp"

#include <mutex>
#include <utility>

#include <gmock/gmock.h>
#include <reel_test/child_process.hpp>
#include <reel_test/needs.hpp>

namespace gstreamer_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// What reelsrc warns of in GStreamer's log, from any thread.
class LoggedWarnings {
 public:
  LoggedWarnings() {
    gst_debug_set_threshold_for_name("reelsrc", GST_LEVEL_WARNING);
    gst_debug_add_log_function(take, this, nullptr);
  }
  LoggedWarnings(const LoggedWarnings&) = delete;
  LoggedWarnings& operator=(const LoggedWarnings&) = delete;
  ~LoggedWarnings() {
    gst_debug_remove_log_function(take);
    gst_debug_unset_threshold_for_name("reelsrc");
  }
  /// Since the last call.
  [[nodiscard]] std::string take_text() {
    const std::lock_guard lock(mutex_);
    return std::exchange(text_, {});
  }

 private:
  static void take(GstDebugCategory* category, GstDebugLevel level, const gchar*, const gchar*, gint,
                   GObject*, GstDebugMessage* message, gpointer data) {
    if (level != GST_LEVEL_WARNING || std::string(gst_debug_category_get_name(category)) != "reelsrc") return;
    auto* self = static_cast<LoggedWarnings*>(data);
    const std::lock_guard lock(self->mutex_);
    self->text_ += std::string(gst_debug_message_get(message)) + "\n";
  }
  std::mutex mutex_;
  std::string text_;
};

class SourceProperties : public SourceTest {
 protected:
  SourceProperties() : element_(gst_element_factory_make("reelsrc", nullptr)) {}
  ~SourceProperties() override { gst_object_unref(element_); }
  [[nodiscard]] const GParamSpec* spec(const char* name) const {
    return g_object_class_find_property(G_OBJECT_GET_CLASS(element_), name);
  }
  GstElement* element_;
};

TEST_F(SourceProperties, SayWhenTheyCanBeChanged) {
  for (const char* name : {"reader-name", "policy", "start", "verify", "on-corrupted", "reconnect",
                           "on-disconnect", "timeout", "max-pins", "comes-back", "is-live"}) {
    ASSERT_NE(spec(name), nullptr) << name;
    EXPECT_TRUE(spec(name)->flags & GST_PARAM_MUTABLE_READY) << name;
    EXPECT_TRUE(spec(name)->flags & G_PARAM_WRITABLE) << name;
    EXPECT_GT(std::string(g_param_spec_get_blurb(const_cast<GParamSpec*>(spec(name)))).size(), 10u) << name;
  }
  EXPECT_TRUE(spec("stream")->flags & GST_PARAM_MUTABLE_PLAYING);
  EXPECT_FALSE(spec("stats")->flags & G_PARAM_WRITABLE);
}

// Each to a value that is not its default.
TEST_F(SourceProperties, ThatCountAtTheStartStayAsTheyWereWhileItRunsAndTheLogNamesThem) {
  struct Change {
    const char* name;
    const char* value;
  };
  constexpr Change kChanges[] = {{"reader-name", "other"}, {"policy", "lossless"},    {"start", "oldest"},
                                 {"verify", "false"},      {"on-corrupted", "error"}, {"reconnect", "false"},
                                 {"on-disconnect", "eos"}, {"timeout", "1"},          {"max-pins", "9"},
                                 {"comes-back", "true"},   {"is-live", "false"}};
  Player player(into_sink());
  LoggedWarnings warnings;
  const auto text = [&](const char* name) {
    GValue value = G_VALUE_INIT;
    g_value_init(&value, spec(name)->value_type);
    g_object_get_property(G_OBJECT(player.source()), name, &value);
    gchar* copied = gst_value_serialize(&value);
    const std::string copy = copied != nullptr ? copied : "";
    g_free(copied);
    g_value_unset(&value);
    return copy;
  };
  for (const GstState state : {GST_STATE_PAUSED, GST_STATE_PLAYING}) {
    player.to(state);
    for (const Change& change : kChanges) {
      const std::string before = text(change.name);
      gst_util_set_object_arg(G_OBJECT(player.source()), change.name, change.value);
      EXPECT_EQ(text(change.name), before) << change.name;
      EXPECT_EQ(warnings.take_text(),
                std::string(change.name) + " is not changed: it can be in the states NULL and READY\n");
      gst_util_set_object_arg(G_OBJECT(player.source()), change.name, before.c_str());
      EXPECT_EQ(warnings.take_text(), "") << change.name << ": it has that value";
    }
  }
  player.to(GST_STATE_READY);
  for (const Change& change : kChanges) {
    const std::string before = text(change.name);
    gst_util_set_object_arg(G_OBJECT(player.source()), change.name, change.value);
    EXPECT_NE(text(change.name), before) << change.name;
  }
  EXPECT_EQ(warnings.take_text(), "");
  EXPECT_EQ(player.message_there_is(GST_MESSAGE_WARNING), "") << "nobody has to handle it";
}

TEST_F(SourceProperties, HaveDefaultsThatNeedNoThought) {
  gint policy = 0, start = 0, on_corrupted = -1, on_disconnect = -1;
  gboolean verify = FALSE, reconnect = FALSE, live = FALSE;
  guint64 timeout = 1;
  guint pins = 0;
  g_object_get(element_, "policy", &policy, "start", &start, "on-corrupted", &on_corrupted, "on-disconnect",
               &on_disconnect, "verify", &verify, "reconnect", &reconnect, "is-live", &live, "timeout",
               &timeout, "max-pins", &pins, nullptr);
  EXPECT_EQ(policy, static_cast<int>(reel::Policy::queue));
  EXPECT_EQ(start, static_cast<int>(reel::Start::live));
  EXPECT_EQ(on_corrupted, 0);
  EXPECT_EQ(on_disconnect, 0);
  EXPECT_TRUE(verify && reconnect && live);
  EXPECT_EQ(timeout, 0u);
  EXPECT_EQ(pins, 4u);
}

TEST_F(SourceProperties, AreShownByGstInspectWithExamplesAndNicks) {
  REEL_NEEDS(reel_test::missing_programs({"gst-inspect-1.0"}));
  reel_test::ChildProcess inspect = reel_test::ChildProcess::program("gst-inspect-1.0", {"reelsrc"});
  EXPECT_TRUE(inspect.wait().ok()) << inspect.errors();
  EXPECT_THAT(
      inspect.output(),
      AllOf(HasSubstr("gst-launch-1.0 reelsrc stream=a ! videoconvert ! autovideosink"),
            HasSubstr("lossless"), HasSubstr("on-disconnect"), HasSubstr("\"connected\""),
            HasSubstr("Supported URI protocols"), HasSubstr("changeable in NULL, READY, PAUSED or PLAYING")));
}

}  // namespace
}  // namespace gstreamer_test
