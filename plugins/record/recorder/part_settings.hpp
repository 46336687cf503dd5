// What a recorder's settings are to its parts. Pure.
#pragma once

#include "catalog/store.hpp"
#include "recorder/closer.hpp"
#include "recorder/segmenter.hpp"
#include "recorder/settings.hpp"

namespace record {

[[nodiscard]] StoreOptions store_options(const RecordSettings& settings);
[[nodiscard]] Closer::Settings closer_settings(const RecordSettings& settings);
[[nodiscard]] Segmenter::Settings segmenter_settings(const RecordSettings& settings);

}  // namespace record
