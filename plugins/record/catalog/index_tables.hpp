// The tables of the index, as README.md describes them to people. Values.
#pragma once

#include <array>

namespace record {

/// To be raised with every change of what follows: an index of another version is made anew.
inline constexpr int kIndexVersion = 2;

inline constexpr std::array kIndexTables{
    // `place` is the sequence, or what a segment whose own is not known goes by; `stretch` numbers runs of
    // segments in that order between which the wall clock was not set: see recorded_age.hpp.
    "CREATE TABLE segment (path TEXT PRIMARY KEY, day TEXT NOT NULL, recording TEXT NOT NULL, "
    "sequence INTEGER NOT NULL, place INTEGER NOT NULL, stretch INTEGER NOT NULL, kind TEXT NOT NULL, "
    "state TEXT NOT NULL, start_utc_ns INTEGER NOT NULL, end_utc_ns INTEGER NOT NULL, bytes INTEGER NOT "
    "NULL, "
    "manifest_ns INTEGER, manifest_bytes INTEGER, manifest TEXT NOT NULL)",
    "CREATE INDEX segment_day ON segment (day)",
    "CREATE INDEX segment_start ON segment (start_utc_ns, path)",
    "CREATE INDEX segment_newest ON segment (recording, sequence, start_utc_ns)",
    "CREATE INDEX segment_state ON segment (recording, state, start_utc_ns, path)",
    "CREATE INDEX segment_begun ON segment (place, start_utc_ns, path)",
    "CREATE INDEX segment_stretch ON segment (stretch, place, start_utc_ns, path)",
    "CREATE INDEX segment_oldest ON segment (recording, kind, place, start_utc_ns, path)",
    "CREATE INDEX segment_aged ON segment (recording, kind, stretch, start_utc_ns)",
    "CREATE TABLE total (recording TEXT NOT NULL, kind TEXT NOT NULL, segments INTEGER NOT NULL, "
    "bytes INTEGER NOT NULL, PRIMARY KEY (recording, kind))",
    "CREATE TRIGGER segment_came AFTER INSERT ON segment BEGIN "
    "INSERT OR IGNORE INTO total VALUES (new.recording, new.kind, 0, 0); "
    "UPDATE total SET segments = segments + 1, bytes = bytes + new.bytes "
    "WHERE recording = new.recording AND kind = new.kind; END",
    "CREATE TRIGGER segment_went AFTER DELETE ON segment BEGIN "
    "UPDATE total SET segments = segments - 1, bytes = bytes - old.bytes "
    "WHERE recording = old.recording AND kind = old.kind; "
    "DELETE FROM total WHERE recording = old.recording AND kind = old.kind AND segments = 0; END",
    "CREATE TABLE track (path TEXT NOT NULL REFERENCES segment ON DELETE CASCADE, stream TEXT NOT NULL, "
    "media TEXT NOT NULL, codec TEXT NOT NULL, frames INTEGER NOT NULL)",
    "CREATE INDEX track_path ON track (path)",
    "CREATE TABLE gap (path TEXT NOT NULL REFERENCES segment ON DELETE CASCADE, stream TEXT NOT NULL, "
    "start_utc_ns INTEGER NOT NULL, end_utc_ns INTEGER NOT NULL, frames INTEGER NOT NULL, reason TEXT NOT "
    "NULL)",
    "CREATE INDEX gap_path ON gap (path)",
    "CREATE TABLE event (path TEXT NOT NULL REFERENCES segment ON DELETE CASCADE, id TEXT NOT NULL, "
    "kind TEXT NOT NULL, start_utc_ns INTEGER NOT NULL, end_utc_ns INTEGER NOT NULL, score REAL NOT NULL, "
    "note TEXT NOT NULL, picture TEXT NOT NULL)",
    "CREATE INDEX event_path ON event (path)",
    "CREATE TABLE sighting (path TEXT NOT NULL REFERENCES segment ON DELETE CASCADE, stream TEXT NOT NULL, "
    "type TEXT NOT NULL, name TEXT NOT NULL, label TEXT NOT NULL, count INTEGER NOT NULL, "
    "highest REAL NOT NULL, first_utc_ns INTEGER NOT NULL, last_utc_ns INTEGER NOT NULL)",
    "CREATE INDEX sighting_path ON sighting (path)",
    "CREATE TABLE day (day TEXT PRIMARY KEY, modified_ns INTEGER NOT NULL)",
    "PRAGMA user_version = 2",
};

}  // namespace record
