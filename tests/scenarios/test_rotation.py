"""Rotated while the daemon runs: every line counts exactly once."""

import os
import shutil
import subprocess

import rotation
from harness import wait_for
from rotation import Linked, Rotation


class UnderLoad(Rotation):
    """A process writes 20,000 numbered lines as fast as it can; its log is rotated every 20 kB."""

    def test_renamed_and_created(self):
        """The rotator makes the new file, the writer goes over to it when it notices."""
        self.under_load(lambda path, _: rotation.rename_and_create(path))

    def test_renamed_and_not_created(self):
        """The name leads to nothing until the writer makes a new file."""
        self.under_load(lambda path, _: rotation.rename(path))

    def test_the_writer_keeps_the_old_file_for_a_while(self):
        """The writer goes on in the renamed file until it is told, a few thousand lines later."""
        def rotate(path, writer):
            old = rotation.rename_and_create(path)
            size = os.path.getsize(old)
            wait_for("lines in the old file", lambda: os.path.getsize(old) > size + 10000 or not writer.running)
            writer.signal("HUP")

        self.under_load(rotate, "signal")

    def test_another_file_renamed_over_it(self):
        """The new file takes the name from the old one, which is gone at once."""
        def rotate(path, _):
            wait_for("the daemon to have the file", lambda: self.d.has_open(path))
            open(path + ".tmp", "x").close()
            os.rename(path + ".tmp", path)

        self.under_load(rotate, kept=False)

    def test_created_before_it_is_renamed(self):
        """The new file waits under another name; the writer is told when it is in place."""
        def rotate(path, writer):
            rotation.create_and_rename(path)
            writer.signal("HUP")

        self.under_load(rotate, "signal")

    def test_deleted(self):
        """The writer makes a new file when it notices; the daemon has the old one open."""
        def rotate(path, _):
            wait_for("the daemon to have the file", lambda: self.d.has_open(path))
            os.unlink(path)

        self.under_load(rotate, kept=False)

    def test_deleted_and_made_again(self):
        """The name is away for a moment only."""
        def rotate(path, _):
            wait_for("the daemon to have the file", lambda: self.d.has_open(path))
            os.unlink(path)
            open(path, "a").close()

        self.under_load(rotate, kept=False)

    def test_copied_and_truncated(self):
        """The writer appends; it is held while the copy is made, or lines would be lost that nobody can know of."""
        def rotate(path, writer):
            with writer.paused():
                rotation.copytruncate(path)

        self.under_load(rotate, "append")

    def test_copied_and_truncated_under_a_writer_that_does_not_append(self):
        """It goes on at its old offset: the file begins with a hole, whose NULs are no part of a line."""
        def rotate(path, writer):
            with writer.paused():
                size = os.path.getsize(path)
                rotation.copytruncate(path)
                if not writer.running:
                    return
            wait_for("lines behind the hole", lambda: os.path.getsize(path) > size + 10000 or not writer.running)

        self.under_load(rotate, "stale", at_least=2, kept=False)

    def test_gzipped_at_once(self):
        """The renamed file is compressed as soon as its writer has left it."""
        def rotate(path, writer):
            with writer.paused():
                old = rotation.rename_and_create(path)
            wait_for("the writer to change over", lambda: os.path.getsize(path) > 0 or not writer.running)
            rotation.compress(old)

        self.under_load(rotate)

    def test_zstd_at_once(self):
        """The same with zstd."""
        def rotate(path, writer):
            old = rotation.rename_and_create(path)
            wait_for("the writer to change over", lambda: os.path.getsize(path) > 0 or not writer.running)
            rotation.compress(old, "zstd")

        self.under_load(rotate)

    def test_numbers_are_shifted(self):
        """app.log.1 becomes app.log.2 before app.log becomes app.log.1, and so on."""
        self.under_load(lambda path, _: rotation.rename_and_create(path, rotation.shift))

    def test_numbers_are_shifted_and_older_ones_compressed(self):
        """As with delaycompress: what is app.log.2 now is compressed."""
        def rotate(path, _):
            rotation.rename_and_create(path, rotation.shift)
            if os.path.exists(path + ".2"):
                rotation.compress(path + ".2")

        self.under_load(rotate)

    def test_dates(self):
        """app.log-20261101, app.log-20261102 and so on."""
        self.under_load(lambda path, _: rotation.rename_and_create(path, rotation.dated))

    def test_a_glob_that_matches_the_rotated_names_too(self):
        """*.log* leads to app.log.1, app.log.2 ... as well: they are app.log all the same."""
        self.under_load(lambda path, _: rotation.rename_and_create(path, rotation.shift),
                        arguments=("--logs", self.logs + "/*.log*"))

    def test_copies_that_the_glob_matches(self):
        """*.log* matches the copies of a copytruncate, whose lines were read from the original."""
        def rotate(path, writer):
            with writer.paused():
                rotation.copytruncate(path, rotation.shift)

        self.under_load(rotate, "append", arguments=("--logs", self.logs + "/*.log*"))

    def test_moved_to_a_directory_of_its_own(self):
        """logtally.yml names the directory that rotated files go to."""
        old = self.path("old")
        os.mkdir(old)

        def rotate(path, _):
            rotation.rename_and_create(path, lambda path: rotation.fresh(os.path.join(old, "app.log")))

        self.under_load(rotate, arguments=self.configure(f"logs: [{{path: {self.logs}, rotated_to: [{old}]}}]\n"))


class BetweenTwoLooks(Rotation):
    """The daemon is held (SIGSTOP) while things happen to three logs, then it looks."""

    def while_held(self, rotate, generations=1, kept=True, arguments=(), streams=None):
        """Lines are written, rotate(path) called, lines written to the new file, as often as wanted."""
        streams = streams or [self.stream("app.log")]
        for stream in streams:
            stream.write(100)
        self.follow(*arguments)
        self.wait_counted()
        with self.d.frozen():
            for _ in range(generations):
                for stream in streams:
                    stream.write(50)
                    rotate(stream.path)
                    stream.write(10)
        self.finish(kept)

    def test_one_rotation(self):
        self.while_held(rotation.rename_and_create)

    def test_several_rotations(self):
        """Of five files the daemon has never seen four, under whatever name."""
        self.while_held(rotation.rename_and_create, generations=5)

    def test_several_rotations_without_create(self):
        self.while_held(rotation.rename, generations=5)

    def test_several_rotations_by_shifting(self):
        """Every file has had a different name each time."""
        self.while_held(lambda path: rotation.rename_and_create(path, rotation.shift), generations=5)

    def test_several_rotations_that_the_glob_matches(self):
        self.while_held(lambda path: rotation.rename_and_create(path, rotation.shift), generations=5,
                        arguments=("--logs", self.logs + "/*.log*"))

    def test_several_rotations_each_gzipped(self):
        """Files are born, rotated and compressed unseen: they are read from the archives."""
        self.while_held(lambda path: rotation.compress(rotation.rename_and_create(path)), generations=4)

    def test_several_rotations_each_compressed_with_zstd(self):
        self.while_held(lambda path: rotation.compress(rotation.rename_and_create(path), "zstd"), generations=4)

    def test_several_rotations_into_a_directory_of_their_own(self):
        """Whole generations turn up in a directory that rotated_to names, relative to the log's own."""
        old = self.log("old")
        os.mkdir(old)
        self.while_held(lambda path: rotation.rename_and_create(path, lambda path: rotation.fresh(os.path.join(old, "app.log"))),
                        generations=4, arguments=self.configure(f"logs: [{{path: {self.logs}, rotated_to: [old]}}]\n"))

    def test_lines_that_the_archive_has_not(self):
        """The writer adds lines to the renamed file while it is compressed: the archive has less than was read."""
        stream = self.stream("app.log")
        stream.write(100)
        self.follow()
        self.wait_counted()
        for kind, end in (("gzip", ".gz"), ("zstd", ".zst")):
            with open(stream.path, "a") as old:
                name = rotation.rename_and_create(stream.path)
                subprocess.run(f"{kind} -q -c {name} >{self.path('archive')}", shell=True, check=True)
                old.write(stream.take(20))
                old.flush()
                self.wait_counted()
            os.rename(self.path("archive"), name + end)
            os.unlink(name)
            stream.write(10)
            self.wait_counted()
        self.finish(kept=False)

    def test_deleted_with_unread_lines(self):
        self.while_held(os.unlink, kept=False)

    def test_deleted_with_unread_lines_and_not_made_again_at_once(self):
        """For a moment nothing has the name; the lines of the deleted file count without a successor."""
        stream = self.stream("app.log")
        stream.write(100)
        self.follow()
        self.wait_counted()
        with self.d.frozen():
            stream.write(50)
            os.unlink(stream.path)
        self.wait_counted()
        self.finish(kept=False)

    def test_replaced_with_unread_lines(self):
        def replace(path):
            open(path + ".tmp", "x").close()
            os.rename(path + ".tmp", path)

        self.while_held(replace, kept=False)

    def test_copytruncate_to_a_smaller_the_same_and_a_larger_size(self):
        """The part that was not read is read from the copy, whatever the log's size is by then."""
        streams = {name: self.stream(name + "/app.log") for name in ("smaller", "same", "larger")}
        for stream in streams.values():
            stream.next = stream.first = 100001  # lines of one length
            stream.write(200)
        self.follow()
        self.wait_counted()
        with self.d.frozen():
            for name, count in (("smaller", 100), ("same", 250), ("larger", 400)):
                streams[name].write(50)
                before = os.path.getsize(streams[name].path)
                rotation.copytruncate(streams[name].path)
                streams[name].write(count)
                self.assertEqual((os.path.getsize(streams[name].path) > before) - (os.path.getsize(streams[name].path) < before),
                                 ("smaller", "same", "larger").index(name) - 1)
        self.finish()

    def test_copytruncate_to_the_size_that_was_read(self):
        """Nothing tells by its size that the log is another one: there is not a byte behind what was read."""
        stream = self.stream("app.log")
        stream.next = stream.first = 100001
        stream.write(200)
        self.follow()
        self.wait_counted()
        with self.d.frozen():
            rotation.copytruncate(stream.path)
            stream.write(200)
        self.finish()

    def test_two_copytruncates(self):
        """The second copy is of lines that were never seen in the log."""
        self.while_held(rotation.copytruncate, generations=2)

    def test_a_copy_that_is_gzipped_at_once(self):
        self.while_held(lambda path: rotation.compress(rotation.copytruncate(path)))

    def test_more_logs_than_descriptors(self):
        """Of twenty logs eight may be open: the others' unread lines are in archives when the daemon looks."""
        arguments = self.configure(f"logs: [{self.logs}]\nlimits: {{open_files: 8}}\n")
        self.while_held(lambda path: rotation.compress(rotation.rename_and_create(path)), arguments=arguments,
                        streams=[self.stream(f"{n}/app.log", f"w{n}") for n in range(20)])

    def test_a_neighbour_is_no_rotation(self):
        """app.log.err is another program's; it is not followed, and not mistaken for a part of app.log."""
        neighbour = self.stream("app.log.err")
        neighbour.write(30)
        self.streams.remove(neighbour)
        self.follow()
        stream = self.stream("app.log")
        stream.write(100)
        self.wait_counted()
        with self.d.frozen():
            rotation.rename_and_create(stream.path)
            neighbour.write(30)
            os.rename(neighbour.path, self.log("app.log.out"))
            neighbour.write(30)
        self.finish(kept=False)

    def test_a_neighbour_that_the_glob_matches_is_followed_for_itself(self):
        """*.log* means app.log.err too: its lines are its own."""
        neighbour = self.stream("app.log.err", "err")
        self.while_held(rotation.rename_and_create, generations=2, arguments=("--logs", self.logs + "/*.log*"),
                        streams=[neighbour, self.stream("app.log")])


class Links(Linked):
    """The followed name is a symbolic link, or there is one on the way."""

    def wave(self, stream, change, times=5):
        """Each file is written to, unseen in part, before and after the change, as by a writer that notices late."""
        stream.write(100)
        self.follow()
        self.wait_counted()
        for _ in range(times):
            wait_for("the daemon to have the file", lambda: self.d.has_open(stream.path))
            with open(stream.path, "a") as old, self.d.frozen():
                stream.write(50)
                change()
                old.write(stream.take(20))
            self.wait_counted()
            stream.write(10)
        self.finish(kept=False)

    def test_a_link_that_is_led_to_another_file(self):
        self.wave(*self.link_to_a_file())

    def test_a_link_in_the_middle_that_is_led_to_another_directory(self):
        self.wave(*self.link_in_the_middle())

    def test_the_target_of_a_link_is_rotated(self):
        self.wave(*self.link_to_what_is_rotated())

    def test_the_target_of_a_chain_of_links_is_rotated(self):
        self.wave(*self.links_of_a_container())

    def test_kubernetes_swaps_data(self):
        self.wave(*self.links_of_kubernetes())


class Directories(Rotation):
    """Whole directories come and go."""

    def moved(self, move):
        """The writer keeps its file and writes on; in the directory that is made anew there is a log again."""
        stream = self.stream("svc/app.log")
        stream.write(100)
        self.follow()
        self.wait_counted()
        for n in range(3):
            wait_for("the daemon to have the file", lambda: self.d.has_open(stream.path))
            with open(stream.path, "a") as old:
                with self.d.frozen():
                    stream.write(50)
                    move(self.log("svc"), n)
                    old.write(stream.take(20))
                    old.flush()
                    os.mkdir(self.log("svc"))
                    stream.write(10)
                old.write(stream.take(5))
            self.wait_counted()
        self.finish(kept=False)

    def test_moved_within_what_is_followed(self):
        self.moved(lambda path, n: os.rename(path, f"{path}-{n}"))

    def test_moved_out_of_what_is_followed(self):
        self.moved(lambda path, n: os.rename(path, self.path(f"away-{n}")))

    def test_removed_and_made_again(self):
        self.moved(lambda path, n: shutil.rmtree(path))

    def test_the_followed_directory_itself_is_replaced(self):
        """Not a directory in it, but the one that was named."""
        stream = self.stream("app.log")
        stream.write(100)
        self.follow()
        self.wait_counted()
        for n in range(3):
            wait_for("the daemon to have the file", lambda: self.d.has_open(stream.path))
            with self.d.frozen():
                stream.write(50)
                os.rename(self.logs, self.path(f"away-{n}"))
                os.mkdir(self.logs)
                stream.write(10)
            self.wait_counted()
        self.finish()
