/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fuzz target without libFuzzer: each given file, and each file of each given directory, is fed to it once. So the corpora
 * are ordinary tests of an ordinary build.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "fuzz.h"

static size_t n_inputs;

__attribute__((weak)) void fuzz_reached(void) {
}

static void feed_file(int dir_fd, const char *name) {
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	struct stat st;

	must(fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode));
	_cleanup_free_ uint8_t *data = xmalloc((size_t)st.st_size);
	must(read(fd, data, (size_t)st.st_size) == st.st_size);
	/* The name of the input, in case it aborts. */
	fprintf(stderr, "%s\n", name);
	LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
	n_inputs++;
}

static int is_visible(const struct dirent *entry) {
	return entry->d_name[0] != '.';
}

static void feed_folder(const char *path) {
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **entries = NULL;
	int n = scandir(path, &entries, is_visible, alphasort);

	must(fd >= 0 && n >= 0);
	for (int i = 0; i < n; i++) {
		feed_file(fd, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv) {
	bool folders = false;

	for (int i = 1; i < argc; i++) {
		struct stat st;

		must(stat(argv[i], &st) == 0);
		folders |= S_ISDIR(st.st_mode);
		if (S_ISDIR(st.st_mode))
			feed_folder(argv[i]);
		else
			feed_file(AT_FDCWD, argv[i]);
	}
	printf("%zu inputs\n", n_inputs);
	if (folders)
		fuzz_reached();
	return n_inputs ? EXIT_SUCCESS : EXIT_FAILURE;
}
