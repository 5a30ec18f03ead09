/*
 * One end of a two-way connection: a message queue to send on and one to receive from, with their interrupts. Blocking
 * calls sleep with WFI until the hypervisor raises the queue's virtual interrupt.
 */
#ifndef SDK_QUEUE_H
#define SDK_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fdt.h"
#include "gunyah.h"

#define QUEUE_MESSAGE_MAX 240U

struct queue {
	const char *name;
	cap_id_t tx_cap;
	cap_id_t rx_cap;
	struct fdt_interrupt tx_irq; /* raised when there is room again */
	struct fdt_interrupt rx_irq; /* raised when a message arrives */
	uint32_t label;
	size_t message_size_max;
	struct {
		uint32_t sent, received, full, empty;
	} count;
};

/*
 * Fills in a queue from a node as the Resource Manager generates it: reg = <tx cap, rx cap>, interrupts = <tx, rx>.
 * Returns false if properties are missing.
 */
bool queue_from_tree(struct queue *queue, const struct fdt *fdt, int node, const char *name);

/* Connects both interrupts. Messages that came before are not lost: always receive before you wait. */
void queue_open(struct queue *queue);

/* Sends one message, waiting for room. Returns OK, or the error of msgqueue_send. */
enum gunyah_error queue_send(struct queue *queue, const void *message, size_t size);

/* Takes a message if there is one. *size is 0 if not. */
enum gunyah_error queue_try_receive(struct queue *queue, void *buffer, size_t buffer_size, size_t *size);

/* Takes a message, waiting for one. */
enum gunyah_error queue_receive(struct queue *queue, void *buffer, size_t buffer_size, size_t *size);

#endif
