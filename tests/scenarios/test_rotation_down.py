"""Rotated while the daemon is down (kill -9): every line counts exactly once."""

import os
import shutil
import subprocess

import rotation
from harness import wait_for
from rotation import Linked, Rotation


class WhileDown(Rotation):
    """Three logs: of one all is read at the kill, of one not, and one ends in half a line by then."""

    def test_nothing_happens(self):
        """The daemon goes on where it was."""
        self.while_down(lambda path: None)

    def test_renamed_and_created(self):
        self.while_down(rotation.rename_and_create)

    def test_renamed_and_not_created(self):
        """When the daemon starts there is no app.log, only app.log.1 with lines that it has not read."""
        self.while_down(rotation.rename, created=False)

    def test_created_before_it_is_renamed(self):
        self.while_down(rotation.create_and_rename)

    def test_another_file_renamed_over_it(self):
        """What was read of the old file is counted, the new one is read from its start."""
        def replace(path):
            open(path + ".tmp", "x").close()
            os.rename(path + ".tmp", path)

        self.while_down(replace, kinds=("read",), kept=False, vanished=1)

    def test_deleted(self):
        """Nothing of it was unread: nothing is lost.  A log of that name that comes later is read from its start."""
        self.while_down(os.unlink, kinds=("read",), kept=False, vanished=1, created=False)

    def test_deleted_and_made_again(self):
        self.while_down(os.unlink, kinds=("read",), kept=False, vanished=1)

    def test_the_writer_keeps_the_old_file(self):
        """When the daemon starts, the rotated file has still a writer, who adds lines to it later."""
        stream = self.stream("app.log")
        stream.write(100)
        self.follow()
        self.wait_counted()
        self.kill()
        with open(stream.path, "a") as old:
            stream.write(10)
            rotation.rename_and_create(stream.path)
            stream.write(20)
            self.again()
            self.wait_counted()
            old.write(stream.take(30))
            old.flush()
            self.wait_counted()
        self.finish()

    def test_several_rotations(self):
        """Of four files three were never seen under any name."""
        self.while_down(rotation.rename_and_create, generations=4)

    def test_several_rotations_by_shifting(self):
        """The file that was read is app.log.4 in the end."""
        self.while_down(lambda path: rotation.rename_and_create(path, rotation.shift), generations=4)

    def test_several_rotations_with_dates(self):
        self.while_down(lambda path: rotation.rename_and_create(path, rotation.dated), generations=4)

    def test_several_rotations_that_the_glob_matches(self):
        """*.log* leads to all of them: nothing counts twice, and all of it as app.log."""
        self.while_down(lambda path: rotation.rename_and_create(path, rotation.shift), generations=4,
                        arguments=("--logs", self.logs + "/**/*.log*"))

    def test_several_rotations_before_the_last_is_not_created(self):
        self.while_down(rotation.rename, generations=3)

    def test_old_and_tilde(self):
        """The names that simpler programs use."""
        for name in ("app.log.old", "app.log~"):
            with self.subTest(name):
                stream = self.stream(f"{len(name)}/app.log", f"w{len(name)}")
                stream.write(100)
                self.d = self.again() if self.d else self.follow()
                self.wait_counted()
                self.d.freeze()
                stream.write(50)
                self.kill()
                rotation.rename_and_create(stream.path, lambda path: os.path.join(os.path.dirname(path), name))
                stream.write(10)
                self.again()
                self.wait_counted()
        self.finish()

    def test_older_files_are_read_first(self):
        """The order of four unseen generations is that of their times of change, whatever their numbers say."""
        self.pattern_file(rotation.PATTERN + """
  - name: order
    pattern: '(?<n>\\d+)$'
    metrics:
      - counter: order_total
        help: Each number is a series, and series are listed in the order of their birth.
        labels: {n: $n}
""")
        stream = self.stream("app.log")
        stream.write(3)
        self.follow()
        self.wait_counted()
        self.kill()
        for n, number in enumerate((7, 2, 9, 4)):
            os.rename(stream.path, f"{stream.path}.{number}")
            os.utime(f"{stream.path}.{number}", (1700000000 + n, 1700000000 + n))
            stream.write(3)
        self.again()
        self.wait_counted()
        order = [int(dict(labels)["n"]) for name, labels in self.d.metrics() if name == "order_total"]
        self.assertEqual(order, list(range(1, 16)))
        self.finish()

    def test_gzipped(self):
        """Lines that were not read are in the archive only."""
        self.while_down(lambda path: rotation.compress(rotation.rename_and_create(path)))

    def test_compressed_with_zstd(self):
        self.while_down(lambda path: rotation.compress(rotation.rename_and_create(path), "zstd"))

    def test_several_rotations_each_gzipped(self):
        """Three archives hold what no daemon ever saw."""
        self.while_down(lambda path: rotation.compress(rotation.rename_and_create(path, rotation.shift)), generations=4)

    def test_several_rotations_each_compressed_with_zstd(self):
        self.while_down(lambda path: rotation.compress(rotation.rename_and_create(path, rotation.dated), "zstd"), generations=4)

    def test_older_ones_gzipped(self):
        """As with delaycompress: app.log.1 is plain, the others are archives."""
        def rotate(path):
            rotation.rename_and_create(path, rotation.shift)
            if os.path.exists(path + ".2"):
                rotation.compress(path + ".2")

        self.while_down(rotate, generations=3)

    def test_gzipped_after_it_was_read_as_a_rotated_file(self):
        """Rotated while the daemon runs, compressed while it does not: the archive is a copy of what is counted."""
        stream = self.stream("app.log")
        stream.write(100)
        self.follow()
        self.wait_counted()
        for kind in ("gzip", "zstd"):
            old = rotation.rename_and_create(stream.path)
            stream.write(20)
            self.wait_counted()
            self.kill()
            rotation.compress(old, kind)
            stream.write(5)
            self.again()
            self.wait_counted()
        self.finish()

    def test_a_gzip_that_was_interrupted(self):
        """Half an archive lies beside the file that it was made of; later it is made anew."""
        stream = self.stream("app.log")
        stream.write(3000)
        self.follow()
        self.wait_counted()
        self.d.freeze()
        stream.write(50)
        self.kill()
        old = rotation.rename_and_create(stream.path)
        stream.write(10)
        subprocess.run(["gzip", "--keep", old], check=True)
        os.truncate(old + ".gz", os.path.getsize(old + ".gz") // 2)
        self.again()
        self.wait_counted()
        os.unlink(old + ".gz")
        rotation.compress(old)
        self.finish()

    def test_copytruncate(self):
        """The log is much smaller afterwards."""
        self.while_down(rotation.copytruncate)

    def test_copytruncate_to_a_smaller_the_same_and_a_larger_size(self):
        """The part that was not read is read from the copy, whatever the log's size is by then."""
        streams = {name: self.stream(name + "/app.log") for name in ("smaller", "same", "larger", "position")}
        for stream in streams.values():
            stream.next = stream.first = 100001
            stream.write(200)
        self.follow()
        self.wait_counted()
        self.kill()
        for name, unread, count in (("smaller", 50, 100), ("same", 50, 250), ("larger", 50, 400), ("position", 0, 200)):
            streams[name].write(unread)
            rotation.copytruncate(streams[name].path)
            streams[name].write(count)
        self.again()
        self.finish()

    def test_two_copytruncates(self):
        """The second copy is of lines that nobody has seen in the log."""
        self.while_down(rotation.copytruncate, generations=2)

    def test_copies_that_the_glob_matches(self):
        """*.log* leads to the copies as well."""
        self.while_down(lambda path: rotation.copytruncate(path, rotation.shift), generations=2,
                        arguments=("--logs", self.logs + "/**/*.log*"))

    def test_copies_that_are_gzipped(self):
        self.while_down(lambda path: rotation.compress(rotation.copytruncate(path)), generations=2)

    def test_a_writer_that_does_not_append(self):
        """After the truncation it goes on at its old offset: NULs come first."""
        streams = [self.stream(name + "/app.log") for name in ("read", "unread")]
        files = [open(stream.path, "w") for stream in streams]
        for stream, f in zip(streams, files):
            f.write(stream.take(100))
            f.flush()
        self.follow()
        self.wait_counted()
        self.kill()
        for stream, f, unread in zip(streams, files, (0, 50)):
            f.write(stream.take(unread))
            f.flush()
            rotation.copytruncate(stream.path)
            f.write(stream.take(10))
            f.flush()
        self.again()
        self.wait_counted()
        for stream, f in zip(streams, files):
            f.write(stream.take(10))
            f.close()
        self.finish(kept=False)

    def test_a_directory_of_their_own(self):
        """Files that were read, or never seen, are in the directory that rotated_to names, beside their log."""
        for kind in ("read", "unread", "torn"):
            os.makedirs(self.log(kind + "/old"))
        self.while_down(lambda path: rotation.rename_and_create(
            path, lambda path: rotation.fresh(os.path.join(os.path.dirname(path), "old/app.log"))),
            generations=3, arguments=self.configure(f"logs: [{{path: {self.logs}, rotated_to: [old]}}]\n"))

    def test_one_directory_for_all_gzipped(self):
        """rotated_to is an absolute path, and what arrives there is compressed."""
        old = self.path("old")
        os.mkdir(old)
        self.while_down(lambda path: rotation.compress(rotation.rename_and_create(
            path, lambda path: rotation.fresh(os.path.join(old, "app.log")))),
            kinds=("unread",), generations=3, arguments=self.configure(f"logs: [{{path: {self.logs}, rotated_to: [{old}]}}]\n"))

    def test_a_neighbour_is_no_rotation(self):
        """app.log.err comes while the daemon is down: it is not followed, and not taken for a part of app.log."""
        def rotate(path):
            rotation.rename_and_create(path)
            for name in (".err", ".1.err", "-error", ".txt"):
                with open(path + name, "w") as f:
                    f.write("line neighbour 1\n")

        self.while_down(rotate, kept=False)

    def test_a_neighbour_that_the_glob_matches_is_followed_for_itself(self):
        self.while_down(rotation.rename_and_create, kinds=("read",), arguments=("--logs", self.logs + "/**/*.log*"))
        neighbour = self.stream("read/app.log.err", "err")
        self.kill()
        neighbour.write(10)
        self.again()
        self.wait_counted()
        self.kill()
        rotation.rename_and_create(neighbour.path)
        neighbour.write(10)
        self.again()
        self.finish()

    def test_killed_again_and_again_under_load(self):
        """A process writes as fast as it can, its log is rotated and gzipped, the daemon is killed at any moment."""
        stream = self.stream("app.log")
        self.follow()
        writer = stream.begin("reopen")
        self.addCleanup(writer.kill)
        kills = 0
        while self._grown(stream.path, writer):
            old = rotation.rename_and_create(stream.path, rotation.shift)
            if kills % 2:
                self.d.metrics()
            self.kill()
            kills += 1
            wait_for("the writer to change over", lambda: os.path.getsize(stream.path) > 0 or not writer.running)
            if kills % 3 == 0:
                rotation.compress(old)
            self.again()
            self.counted()
        writer.end()
        self.assertGreaterEqual(kills, 3)
        self.finish()


class LinksWhileDown(Linked):
    """The followed name is a symbolic link, or there is one on the way."""

    def change(self, stream, change, unread=50, vanishes=False):
        """Lines, the kill, more lines, the change, lines in the new file."""
        stream.write(100)
        self.follow()
        self.wait_counted()
        for _ in range(2):
            self.kill()
            stream.write(unread)
            change()
            self.vanished += vanishes
            stream.write(10)
            self.again()
            self.wait_counted()
        self.finish(kept=False)

    def test_a_link_that_is_led_to_another_file(self):
        self.change(*self.link_to_a_file())

    def test_a_link_in_the_middle_that_is_led_to_another_directory(self):
        self.change(*self.link_in_the_middle())

    def test_the_target_of_a_link_is_rotated(self):
        self.change(*self.link_to_what_is_rotated())

    def test_the_target_of_a_chain_of_links_is_rotated_and_gzipped(self):
        stream, rotate = self.links_of_a_container()
        self.change(stream, lambda: rotation.compress(rotate()))

    def test_kubernetes_swaps_data(self):
        """The old directory is removed with all that was read."""
        self.change(*self.links_of_kubernetes(), unread=0, vanishes=True)


class DirectoriesWhileDown(Rotation):
    """Whole directories come and go."""

    def moved(self, move, unread=50, kept=True, vanishes=False):
        stream = self.stream("svc/app.log")
        stream.write(100)
        self.follow()
        self.wait_counted()
        for n in range(2):
            self.kill()
            stream.write(unread)
            move(self.log("svc"), n)
            self.vanished += vanishes
            os.mkdir(self.log("svc"))
            stream.write(10)
            self.again()
            self.wait_counted()
        self.finish(kept)

    def test_moved_within_what_is_followed(self):
        """The file is known under its new name: its unread lines count, as the path that it had."""
        self.moved(lambda path, n: os.rename(path, f"{path}-{n}"))

    def test_moved_out_of_what_is_followed(self):
        self.moved(lambda path, n: os.rename(path, self.path(f"away-{n}")), unread=0, vanishes=True)

    def test_removed_and_made_again(self):
        self.moved(lambda path, n: shutil.rmtree(path), unread=0, kept=False, vanishes=True)

    def test_copied_back_with_other_inodes(self):
        """As after a restore: a copy of the directory is in its place, and its log goes on behind what was read."""
        stream = self.stream("svc/app.log")
        stream.write(100)
        self.follow()
        self.wait_counted()
        self.kill()
        stream.write(50)
        shutil.copytree(self.log("svc"), self.log("svc.new"))
        shutil.rmtree(self.log("svc"))
        os.rename(self.log("svc.new"), self.log("svc"))
        self.again()
        self.finish()
