/* tests/unit/test_queue.c - containers are started a few at a time, in the order of arrival. */
#include "base/failure.h" /* before check.h, which defines a macro fail() */

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "helper/session/queue.h"
#include "tests/unit/suites.h"

#define MOST 70

/* A runtime directory with a queue in it. */
struct place {
	char path[64];
	int run;
	struct turn turns[MOST];
	size_t told; /* what was told last */
};

static struct place place;

static void make_place(void)
{
	place = (struct place){.path = "/tmp/carrel-queue-XXXXXX"};
	ck_assert_ptr_nonnull(mkdtemp(place.path));
	place.run = open(place.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(place.run, 0);
	for (size_t i = 0; i < MOST; i++)
		place.turns[i] = (struct turn)TURN_NONE;
}

static void remove_place(void)
{
	struct failure why;

	for (size_t i = 0; i < MOST; i++)
		turn_give_back(&place.turns[i]);
	(void)close(place.run);
	ck_assert(tree_remove_at(AT_FDCWD, place.path, &why));
}

static bool give_up(size_t before, void *data)
{
	(void)data;
	place.told = before;
	return false;
}

static bool let_the_first_go(size_t before, void *data)
{
	place.told = before;
	turn_give_back(data);
	return true;
}

static void fill_slots(void)
{
	struct failure why;

	for (size_t i = 0; i < queue_slots(); i++)
		ck_assert(turn_take(place.run, give_up, NULL, &place.turns[i], &why));
}

START_TEST(so_many_at_once_and_no_more)
{
	struct turn turn;
	struct failure why;

	fill_slots();
	ck_assert(!turn_take(place.run, give_up, NULL, &turn, &why));
	ck_assert_int_eq(why.kind, FAILURE_REQUEST);
	ck_assert_uint_eq(place.told, queue_slots());
	ck_assert_int_eq(turn.ticket, -1);
	/* Who gave up is in nobody's way. */
	turn_give_back(&place.turns[0]);
	ck_assert(turn_take(place.run, give_up, NULL, &place.turns[0], &why));
}
END_TEST

START_TEST(the_next_comes_in_when_one_goes)
{
	struct turn *last = &place.turns[MOST - 1];
	struct failure why;

	fill_slots();
	ck_assert(turn_take(place.run, let_the_first_go, &place.turns[0], last, &why));
	ck_assert_uint_eq(last->number, queue_slots() + 1);
}
END_TEST

START_TEST(the_dead_are_passed_by)
{
	struct failure why;
	char name[32];

	ck_assert_int_eq(mkdirat(place.run, "queue", 0700), 0);
	for (unsigned i = 1; i <= 40; i++) {
		int ticket;

		(void)snprintf(name, sizeof(name), "queue/%016x", i);
		ticket = openat(place.run, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		ck_assert_int_ge(ticket, 0);
		(void)close(ticket);
	}
	ck_assert(turn_take(place.run, give_up, NULL, &place.turns[0], &why));
	ck_assert_uint_eq(place.turns[0].number, 41);
	ck_assert_uint_eq(place.told, 0);
}
END_TEST

START_TEST(a_turn_leaves_nothing)
{
	struct failure why;

	ck_assert(turn_take(place.run, give_up, NULL, &place.turns[0], &why));
	ck_assert_int_eq(faccessat(place.run, "queue/0000000000000001", F_OK, 0), 0);
	turn_give_back(&place.turns[0]);
	ck_assert_int_ne(faccessat(place.run, "queue/0000000000000001", F_OK, 0), 0);
	turn_give_back(&place.turns[0]); /* once more does nothing */
}
END_TEST

START_TEST(patience_grows_with_the_queue)
{
	ck_assert_uint_eq(queue_patience_ms(1), 2);
	ck_assert_uint_eq(queue_patience_ms(50), 100);
	ck_assert_uint_eq(queue_patience_ms(100000), 250);
}
END_TEST

Suite *queue_suite(void)
{
	Suite *suite = suite_create("queue");
	TCase *test = tcase_create("queue");

	tcase_add_checked_fixture(test, make_place, remove_place);
	tcase_add_test(test, so_many_at_once_and_no_more);
	tcase_add_test(test, the_next_comes_in_when_one_goes);
	tcase_add_test(test, the_dead_are_passed_by);
	tcase_add_test(test, a_turn_leaves_nothing);
	tcase_add_test(test, patience_grows_with_the_queue);
	suite_add_tcase(suite, test);
	return suite;
}
