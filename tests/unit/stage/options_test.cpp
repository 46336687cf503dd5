#include <array>
#include <functional>
#include <ostream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <reel/base/error.hpp>
#include <reel/stage/options.hpp>

namespace reel {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::array kSpecs{
    OptionSpec{"mode", OptionType::text, "fast", "how", "fast|exact"},
    OptionSpec{"width", OptionType::integer, "640", "pixels", "1..4096"},
    OptionSpec{"gain", OptionType::number, "1.5", "factor", "0.."},
    OptionSpec{"loop", OptionType::boolean, "false", "again and again"},
    OptionSpec{"model", OptionType::path, "", "the network's file"},
    OptionSpec{"labels", OptionType::list, "face,person", "what is looked for", "face|person|car"},
    OptionSpec{"patience", OptionType::duration, "1.5s", "how long", "10ms..1h"},
    OptionSpec{"room", OptionType::size, "64MB", "how much", "1kB..1TB"}};

std::map<std::string, OptionValue> given(const std::string& name, const std::string& text) {
  return {{name, OptionValue{text, {}, false, "a.yaml:7"}}};
}

Options with(const std::string& name, const std::string& text) {
  return Options(kSpecs, given(name, text), "/base");
}

// The error that the values bring; fails the test when there is none.
Error error_of(const std::map<std::string, OptionValue>& values, std::span<const OptionSpec> specs = kSpecs) {
  try {
    const Options options(specs, values, "/base");
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "the options were taken";
  return Error(ErrorCode::internal, "");
}

TEST(Options, HaveTheirDefaultsWhenNothingIsGiven) {
  const Options options(kSpecs, {}, "/base");
  EXPECT_EQ(options.text("mode"), "fast");
  EXPECT_EQ(options.integer("width"), 640);
  EXPECT_EQ(options.number("width"), 640);
  EXPECT_EQ(options.number("gain"), 1.5);
  EXPECT_FALSE(options.boolean("loop"));
  EXPECT_EQ(options.text("model"), "");
  EXPECT_THAT(options.list("labels"), ElementsAre("face", "person"));
  EXPECT_EQ(options.duration_ns("patience"), 1'500'000'000);
  EXPECT_EQ(options.duration_ms("patience"), 1'500);
  EXPECT_EQ(options.bytes("room"), 64'000'000u);
  EXPECT_FALSE(options.given("width"));
}

TEST(Options, TakeWhatIsGiven) {
  EXPECT_EQ(with("mode", "exact").text("mode"), "exact");
  EXPECT_EQ(with("width", "4096").integer("width"), 4096);
  EXPECT_EQ(with("patience", "1h").duration_ns("patience"), 3'600'000'000'000);
  EXPECT_EQ(with("patience", "10.6ms").duration_ms("patience"), 11);
  EXPECT_EQ(with("room", "1 KiB").bytes("room"), 1024u);
  EXPECT_EQ(with("gain", "2e-3").number("gain"), 2e-3);
  EXPECT_TRUE(with("loop", "true").boolean("loop"));
  EXPECT_TRUE(with("loop", "false").given("loop"));
  EXPECT_THAT(with("labels", "car, face").list("labels"), ElementsAre("car", "face"));
  EXPECT_THAT(with("labels", "").list("labels"), IsEmpty());
  const OptionValue list{"", {"car"}, true, "a.yaml:7"};
  EXPECT_THAT(Options(kSpecs, {{"labels", list}}, "/base").list("labels"), ElementsAre("car"));
}

TEST(Options, ResolveRelativePathsAgainstTheBaseDirectory) {
  EXPECT_EQ(with("model", "nets/face.onnx").text("model"), "/base/nets/face.onnx");
  EXPECT_EQ(with("model", "../face.onnx").text("model"), "/face.onnx");
  EXPECT_EQ(with("model", "/abs/face.onnx").text("model"), "/abs/face.onnx");
  EXPECT_EQ(with("model", "test://ball").text("model"), "test://ball");
  EXPECT_EQ(with("model", "a/b://c").text("model"), "/base/a/b:/c");
}

TEST(Options, NameTheNearestOptionWhenOneIsUnknown) {
  const Error error = error_of(given("widht", "3"));
  EXPECT_EQ(error.code(), ErrorCode::bad_config);
  EXPECT_EQ(error.where(), "a.yaml:7");
  EXPECT_THAT(error.message(), HasSubstr("\"widht\": did you mean \"width\"?"));
}

TEST(Options, ListAllWhenAnUnknownOneIsNearNone) {
  EXPECT_THAT(error_of(given("transparency", "3")).message(),
              HasSubstr("gain, labels, loop, mode, model, patience, room or width"));
  EXPECT_THAT(error_of(given("x", "3"), {}).message(), HasSubstr("takes none"));
}

struct BadValue {
  const char* test;
  const char* name;
  const char* text;
  const char* says;
};
void PrintTo(const BadValue& value, std::ostream* out) {
  *out << value.name << " = \"" << value.text << '"';
}

class BadOption : public testing::TestWithParam<BadValue> {};

TEST_P(BadOption, IsRefusedWithItsPlaceAndReason) {
  const Error error = error_of(given(GetParam().name, GetParam().text));
  EXPECT_EQ(error.code(), ErrorCode::bad_config);
  EXPECT_EQ(error.where(), "a.yaml:7");
  EXPECT_THAT(error.message(), HasSubstr(std::string("option ") + GetParam().name));
  EXPECT_THAT(error.message(), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadOption,
    testing::Values(BadValue{"NearOneOfTheAllowed", "mode", "fats", "did you mean fast?"},
                    BadValue{"NearNone", "mode", "leisurely", "not one of fast or exact"},
                    BadValue{"BelowItsRange", "width", "0", "outside 1..4096"},
                    BadValue{"AboveItsRange", "width", "4097", "outside 1..4096"},
                    BadValue{"IntegerWithAUnit", "width", "12px", "not an integer"},
                    BadValue{"IntegerWithAFraction", "width", "1.5", "not an integer"},
                    BadValue{"EmptyInteger", "width", "", "not an integer"},
                    BadValue{"IntegerOfMoreThan64Bits", "width", "99999999999999999999", "not an integer"},
                    BadValue{"NumberBelowItsRange", "gain", "-0.1", "outside 0.."},
                    BadValue{"NotANumber", "gain", "nan", "not a number"},
                    BadValue{"Infinity", "gain", "inf", "not a number"},
                    BadValue{"WordForANumber", "gain", "much", "not a number"},
                    BadValue{"WordForABoolean", "loop", "yes", "write true or false"},
                    BadValue{"DurationOfAnotherUnit", "patience", "1m", "500ms, 2s, 1.5min"},
                    BadValue{"DurationBelowItsRange", "patience", "9ms", "outside 10ms..1h"},
                    BadValue{"DurationAboveItsRange", "patience", "61min", "outside 10ms..1h"},
                    BadValue{"SizeOfAnotherUnit", "room", "1m", "kB, MB, GB"},
                    BadValue{"SizeAboveItsRange", "room", "1.5TiB", "outside 1kB..1TB"},
                    BadValue{"ItemOfAList", "labels", "face,cra", "did you mean car?"}),
    [](const auto& value) { return std::string(value.param.test); });

TEST(Options, RefuseAListForASingleValue) {
  const OptionValue list{"", {"1", "2"}, true, "a.yaml:7"};
  EXPECT_THAT(error_of({{"width", list}}).message(), HasSubstr("takes one integer, not a list"));
}

TEST(Options, AskForOneThatMustBeGiven) {
  constexpr std::array kRequired{OptionSpec{"uri", OptionType::text, nullptr, "what to open"}};
  const Error error = error_of({}, kRequired);
  EXPECT_EQ(error.code(), ErrorCode::bad_config);
  EXPECT_THAT(error.message(), HasSubstr("option uri must be given: what to open"));
}

TEST(Options, CallItABugToReadWhatIsNotDeclared) {
  const Options options(kSpecs, {}, "/base");
  const auto code_of = [](const std::function<void()>& read) {
    try {
      read();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::bad_argument;
  };
  EXPECT_EQ(code_of([&] { (void)options.text("nothing"); }), ErrorCode::internal);
  EXPECT_EQ(code_of([&] { (void)options.given("nothing"); }), ErrorCode::internal);
  EXPECT_EQ(code_of([&] { (void)options.integer("gain"); }), ErrorCode::internal);
  EXPECT_EQ(code_of([&] { (void)options.text("width"); }), ErrorCode::internal);
}

TEST(Options, CallABadDefaultTheDeclarationsFault) {
  constexpr std::array kBad{OptionSpec{"width", OptionType::integer, "wide", "pixels"}};
  EXPECT_EQ(error_of({}, kBad).where(), "the plugin's own default");
  constexpr std::array kBadRange{OptionSpec{"width", OptionType::integer, "3", "pixels", "1-4"}};
  EXPECT_EQ(error_of({}, kBadRange).code(), ErrorCode::plugin);
}

}  // namespace
}  // namespace reel
