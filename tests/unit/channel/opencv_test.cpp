// OpenCV views: what was read cannot be written, what is written reaches the loan.
#include "channel_fixture.hpp"

#include <type_traits>

#include <reel/channel/opencv.hpp>

namespace {

using channel_test::bytes;
using channel_test::kWatchdogMs;
using reel::Frame;
using reel::FrameReader;
using reel::FrameWriter;
using reel::WriteStatus;

static_assert(std::is_convertible_v<const reel::ReadView&, const cv::_InputArray&>);
static_assert(!std::is_convertible_v<reel::ReadView&, const cv::_OutputArray&>);
static_assert(!std::is_convertible_v<reel::ReadView&, const cv::_InputOutputArray&>);
static_assert(!std::is_convertible_v<reel::ReadView&, cv::Mat>);
static_assert(!std::is_convertible_v<const reel::ReadView&, cv::Mat&>);

class OpenCvViews : public channel_test::ChannelTest {
 protected:
  FrameWriter writer_{stream(), reel::VideoFormat{reel::PixelFormat::BGR, 16, 8, {30, 1}}};
  FrameReader reader_{stream()};
};

TEST_F(OpenCvViews, OfAFrameAreOfTheSlotUntilTheFirstUseThatWrites) {
  ASSERT_EQ(writer_.write(bytes(16 * 8 * 3, 9)), WriteStatus::ok);
  Frame frame;
  ASSERT_EQ(reader_.read(frame, kWatchdogMs), reel::ReadStatus::frame);
  reel::MutableFrame mutable_frame(frame);
  const auto* slot = reinterpret_cast<const unsigned char*>(frame.data().data());
  EXPECT_EQ(mutable_frame.view().row(0), slot);
  mutable_frame.mutable_mat().setTo(cv::Scalar(1, 2, 3));
  EXPECT_NE(mutable_frame.view().row(0), slot);
  EXPECT_EQ(mutable_frame.view().at<cv::Vec3b>(7, 15), cv::Vec3b(1, 2, 3));
  EXPECT_EQ(slot[0], 9) << "the frame itself is as it was";
}

TEST_F(OpenCvViews, OfALoanAreWrittenInPlace) {
  reel::Loan loan;
  ASSERT_EQ(writer_.acquire(loan), WriteStatus::ok);
  cv::Mat(8, 16, CV_8UC3, cv::Scalar(4, 5, 6)).copyTo(reel::write_view(loan));
  ASSERT_EQ(writer_.publish(std::move(loan), {}), WriteStatus::ok);
  Frame frame;
  ASSERT_EQ(reader_.read(frame, kWatchdogMs), reel::ReadStatus::frame);
  EXPECT_TRUE(frame.verified());
  EXPECT_EQ(reel::read_view(frame).at<cv::Vec3b>(7, 15), cv::Vec3b(4, 5, 6));
}

TEST_F(OpenCvViews, OfALoanRefuseAnotherSizeOrType) {
  reel::Loan loan;
  ASSERT_EQ(writer_.acquire(loan), WriteStatus::ok);
  reel::WriteView view = reel::write_view(loan);
  const cv::Mat small(4, 4, CV_8UC3, cv::Scalar(1, 1, 1));
  EXPECT_THROW(cv::resize(small, view, cv::Size(5, 5)), cv::Exception);
  EXPECT_THROW(cv::cvtColor(cv::Mat(8, 16, CV_8UC3), view, cv::COLOR_BGR2GRAY), cv::Exception);
  EXPECT_EQ(view.mat().data, reinterpret_cast<unsigned char*>(loan.data().data()));
  EXPECT_NO_THROW(cv::resize(small, view, cv::Size(16, 8)));
  EXPECT_THROW((void)reel::write_view(loan, 1), reel::Error);
}

}  // namespace
