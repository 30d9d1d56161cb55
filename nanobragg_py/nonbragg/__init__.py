"""nonBragg: scattering of water, air and other amorphous materials, in the C program nonBragg's bytes."""
